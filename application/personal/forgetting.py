"""Forgets a data subject for good: key, views, and the record that it was forgotten.

Each step can be repeated. A run that was killed goes on where it ended when it is started again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.event_filter import EventFilter
from application.messages import Context
from application.personal.forgotten import FORGOTTEN, RecordForgotten, forgotten_id, remembrance
from application.personal.keyring import KEPT, Keyring
from application.personal.subject_events import OfPersons, events_of
from application.ports import (
    EventBrowser,
    EventStore,
    KeyStore,
    PayloadStore,
    Reading,
    Wanted,
    require_subject,
)
from application.ports.browsing import LARGEST_BROWSED
from application.ports.keys import HISTORIES
from application.projections.builds import Note
from application.projections.deploying import Deploy
from application.projections.operating import Operations
from application.projections.projection import Projection
from application.whole_log import EventLog, Report, Step, unreported

SETTLED: Final = KEPT + 5.0
"""Seconds after which no process has a destroyed key any more, whatever its clock says."""


@dataclass(frozen=True)
class Known:
    """What is stored of a subject."""

    events: int
    streams: Sequence[str]
    texts: frozenset[str]
    """The personal texts that can still be read."""
    read_models: Sequence[str]
    """Those whose views may hold some of it: they take in events with personal data of it."""
    forgotten: bool


@dataclass(frozen=True)
class Tools:
    """What forgetting works with, each made when it is used."""

    declared: OfPersons
    keyring: Keyring
    keys: Callable[[], KeyStore]
    log: Callable[[], EventLog]
    browser: Callable[[], EventBrowser]
    payloads: Callable[[], PayloadStore]
    store: Callable[[], EventStore]
    dispatch: Callable[[], CommandDispatch]
    projections: Callable[[], Sequence[Projection[Any]]]
    operations: Callable[[], Operations]
    deploy: Callable[[str], Awaitable[Deploy]]


class Forgetting:
    """Forgets data subjects of one service. All methods raise ``StoreUnavailable``."""

    def __init__(
        self,
        tools: Tools,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        settled: float = SETTLED,
    ) -> None:
        self._tools, self._clock, self._pause = tools, clock, pause
        self._settled = timedelta(seconds=settled)

    async def known(self, subject: str, report: Report = unreported) -> Known:
        """Look, and change nothing. ``ValueError`` for a text that cannot be a subject."""
        require_subject(subject)
        if subject == HISTORIES:
            raise ValueError(f"{subject!r} is no data subject: this key is the service's own")
        tools, number = self._tools, 0
        streams, texts, kinds = dict[str, None](), set[str](), set[tuple[str, str]]()
        found = events_of(subject, tools.declared, tools.log(), tools.payloads(), report)
        async for one in found:
            number += 1
            streams[one.recorded.stream] = None
            texts |= one.texts
            kinds.add(one.kind)
        since = (await remembrance(self._tools.store(), subject)).since
        return Known(number, [*streams], frozenset(texts), self._taking_in(kinds), bool(since))

    async def forget(self, subject: str, note: Note, report: Report = unreported) -> Known:
        """Destroy the key, record it, and rebuild the views that may hold its personal data.

        Returns what was known before. Raises ``ValueError`` as :meth:`known`, ``DeployRefused``,
        and what operations on read models raise: then run it again, it goes on.
        """
        known = await self.known(subject, report)
        await self._tools.keys().destroy(subject)
        self._tools.keyring.forget(subject)
        since = await self._recorded(subject, note.acts_as)
        if known.read_models:
            report(Step("waiting until no process has the key in memory"))
            gone = since + self._settled
            await self._pause(max(0.0, (gone - self._clock()).total_seconds()))
        for name in known.read_models:
            report(Step(f"rebuilding {name}"))
            await self._rebuilt(name, since, note)
        return known

    async def again(self, by: str) -> tuple[Sequence[str], Sequence[str]]:
        """Put right what was restored from a backup: keys that had been destroyed, and records.

        Returns the subjects whose keys were destroyed again, and those that were recorded again.
        """
        recorded = await self._all_recorded()
        destroyed = await self.destroy_restored(recorded)
        missing = [one async for one in self._tools.keys().forgotten() if one not in recorded]
        for subject in missing:
            await self._recorded(subject, by)
        return destroyed, missing

    async def destroy_restored(self, recorded: Collection[str] | None = None) -> Sequence[str]:
        """Destroy the keys of subjects whose forgetting is recorded; those that had one."""
        subjects = await self._all_recorded() if recorded is None else recorded
        if not subjects:
            return []
        restored = sorted(await self._tools.keys().keys(subjects))
        for subject in subjects:
            await self._tools.keys().destroy(subject)
            self._tools.keyring.forget(subject)
        return restored

    def _taking_in(self, kinds: Collection[tuple[str, str]]) -> Sequence[str]:
        """The read models that take in events of these categories and types."""
        declared = self._tools.projections()
        return sorted({one.name for one in declared if _takes_in(one.events, kinds)})

    async def _rebuilt(self, name: str, since: datetime, note: Note) -> None:
        """Every build of it was begun after no process had the key any more."""
        operations = self._tools.operations()
        clean = {
            one.build
            for one in await operations.actions(name)
            if one.action == "deploy" and one.note.at >= since + self._settled
        }
        live, *beside = await operations.named(name)
        for standing in beside:
            if standing.build not in clean or live.build in clean:
                await operations.drop(standing.build.table, note)
        if live.build not in clean:
            anew = replace(note, at=self._clock())
            deployed = await (await self._tools.deploy(name)).run(anew, accept=True)
            await operations.drop(deployed.before.table, anew)

    async def _recorded(self, subject: str, by: str) -> datetime:
        """Since when it is forgotten, which is recorded now if it was not before."""
        context = Context.start(by, uuid4(), self._clock())
        command = RecordForgotten(subject=subject, at=self._clock())
        await self._tools.dispatch()(forgotten_id(subject), command, context)
        since = (await remembrance(self._tools.store(), subject)).since
        assert since is not None  # it is recorded now
        return since

    async def _all_recorded(self) -> Collection[str]:
        subjects, after = dict[str, None](), None
        while True:
            reading = Reading(newest_first=False, after=after, limit=LARGEST_BROWSED)
            page = await self._tools.browser().events(Wanted(category=FORGOTTEN.name), reading)
            for one in page.items:
                subjects[str(getattr(one.event, "subject", ""))] = None
            if not page.more:
                return subjects
            after = page.reached


def _takes_in(events: EventFilter, kinds: Collection[tuple[str, str]]) -> bool:
    return not events.pairs.isdisjoint(kinds)
