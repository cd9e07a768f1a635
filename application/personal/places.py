"""The places where something of a data subject may be: each store, and what others were sent."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from application.claim_check import claim, fetched, reference, refers
from application.event_filter import EVERYTHING
from application.messages import RecordedEvent
from application.personal.subject_events import OfPersons, readable_subjects, texts_in
from application.personal.texts import Texts
from application.ports import (
    Builds,
    Copies,  # only: bus or temporal
    KeyStore,
    PayloadStore,
    PayloadUnavailable,
    ReadModels,
    StoreUnavailable,
    SweepablePayloads,
)
from application.projections.builds import Build
from application.whole_log import EventLog, Report, whole_log


@dataclass(frozen=True)
class Sought:
    """What is looked for."""

    subject: str
    texts: Texts


@dataclass(frozen=True)
class Trace:
    """Something that can be read of a forgotten subject."""

    place: str
    """Which store, and where in it: ``event order-1@0``."""
    what: str


class Place(Protocol):
    """A store that can be searched."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def unit(self) -> str:
        """What is in it, as a plural."""
        ...

    @property
    def by_text(self) -> bool:
        """Whether it can be searched for texts alone."""
        ...

    def look(self, sought: Sought, report: Report) -> AsyncIterator[Trace | None]:
        """For each thing in it: a trace, or ``None`` where there is none.

        Raises ``StoreUnavailable`` where that cannot be seen to its end.
        """
        ...

    async def beyond(self) -> Sequence[str]:
        """What cannot be searched there, in words for operators. Raises ``StoreUnavailable``."""
        ...


class Keys:
    """The key of the subject."""

    name, unit, by_text = "key store", "keys", False

    def __init__(self, keys: Callable[[], KeyStore]) -> None:
        self._keys = keys

    async def look(self, sought: Sought, _: Report) -> AsyncIterator[Trace | None]:
        there = await self._keys().keys([sought.subject])
        yield Trace(self.name, "has a key of the subject") if there else None

    async def beyond(self) -> Sequence[str]:
        return ["backups of the key store"]


class Events:
    """The log, with what its events keep elsewhere.

    Snapshots, parked events, and the facts of sagas are events in it.
    """

    name, unit, by_text = "event store", "events", False

    def __init__(
        self,
        declared: OfPersons,
        log: Callable[[], EventLog],
        payloads: Callable[[], PayloadStore],
    ) -> None:
        self._declared, self._log, self._payloads = declared, log, payloads

    async def look(self, sought: Sought, report: Report) -> AsyncIterator[Trace | None]:
        async with whole_log(self._log(), EVERYTHING, report) as events:
            async for recorded in events:
                yield await self._trace(recorded, sought)

    async def beyond(self) -> Sequence[str]:
        return ()

    async def _trace(self, recorded: RecordedEvent, sought: Sought) -> Trace | None:
        place, payloads = f"event {recorded.stream}@{recorded.version}", self._payloads()
        try:
            stored = await fetched(recorded, payloads)
        except PayloadUnavailable:
            stored = recorded
        if text := sought.texts.in_bytes(stored.data, stored.metadata_json):
            return Trace(_payload(recorded) or place, f"holds {text!r} as it is stored")
        whole = await claim(stored, payloads)
        if sought.subject in readable_subjects(whole, self._declared):
            return Trace(place, "shows personal data of the subject")
        return None


def _payload(recorded: RecordedEvent) -> str | None:
    if not refers(recorded):
        return None
    return f"payload {reference(recorded)} of event {recorded.stream}@{recorded.version}"


class Payloads:
    """All payloads. Those of no event, too: what a killed process has left."""

    name, unit, by_text = "payload store", "payloads", True

    def __init__(self, stores: Callable[[], Sequence[SweepablePayloads]]) -> None:
        self._stores = stores

    async def look(self, sought: Sought, _: Report) -> AsyncIterator[Trace | None]:
        for store in self._stores():
            async for one in store.stored():
                if not one.is_payload:
                    continue
                try:
                    data = await store.get(one.digest)
                except PayloadUnavailable:
                    continue
                text = sought.texts.in_bytes(data)
                yield Trace(f"payload {one.digest}", f"holds {text!r}") if text else None

    async def beyond(self) -> Sequence[str]:
        return ()


class ViewsOfBuilds:
    """The views and parts of every build, live or not, wherever they are kept."""

    name, unit, by_text = "read models", "views", True

    def __init__(self, builds: Callable[[], Builds], read_models: Callable[[], ReadModels]) -> None:
        self._builds, self._read_models = builds, read_models

    async def look(self, sought: Sought, _: Report) -> AsyncIterator[Trace | None]:
        away = list[str]()
        for build in await self._all():
            try:
                async for key, document in self._read_models().documents(build):
                    text = sought.texts.in_texts([key, *texts_in(document)])
                    yield Trace(f"view {key} of {build.table}", f"holds {text!r}") if text else None
            except StoreUnavailable as error:  # the others are kept elsewhere
                away.append(f"{build.table}: {error}")
        if away:
            raise StoreUnavailable("; ".join(away))

    async def beyond(self) -> Sequence[str]:
        return ()

    async def _all(self) -> Iterable[Build]:
        """Also those that were dropped, since what they were kept in may have been away."""
        there = [one.build for one in await self._builds().standings()]
        dropped = [
            action.build
            for name in sorted({build.name for build in there})
            for action in await self._builds().actions(name)
            if action.action == "drop"
        ]
        return dict.fromkeys([*there, *dropped])


# only: bus or temporal
class SentThere:
    """What another system keeps of what the service has sent there."""

    by_text = True

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        self.name, self.unit = copies.name, copies.unit

    async def look(self, sought: Sought, _: Report) -> AsyncIterator[Trace | None]:
        async for one in self._copies.kept():
            text = sought.texts.in_bytes(*one.parts)
            yield Trace(f"{self.name}: {one.where}", f"holds {text!r}") if text else None

    async def beyond(self) -> Sequence[str]:
        return await self._copies.beyond()


# end: bus or temporal
