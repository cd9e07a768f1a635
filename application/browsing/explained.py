"""One event, whole: as it is stored and as it is read, what led to it, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from application.browsing.correlated import correlated
from application.browsing.documents import plain, stored
from application.browsing.places import Looking
from application.claim_check import claim, reference, refers
from application.messages import RecordedEvent, UnreadableEvent
from application.ports import (
    Incomplete,
    PayloadStore,
    PayloadUnavailable,
    StoreUnavailable,
)
from application.projections.builds import BuildStanding
from application.snapshots import SnapshotTaken
from domain.decider import Event


@dataclass(frozen=True)
class Payload:
    """Where the data of a large event is."""

    sha256: str
    size: int | None
    missing: str | None
    """Why it cannot be had; ``None`` if it is there, whole."""


@dataclass(frozen=True)
class TakenIn:
    """A build of a read model that follows such events."""

    read_model: str
    build: str
    role: str
    has_it: bool | None
    """Whether the event is in its views; ``None``: unknown."""


@dataclass(frozen=True)
class Explained:
    """One event, and what surrounds it."""

    recorded: RecordedEvent
    metadata: Any
    stored: Any
    """The data as it is in the store: of a claim check, the reference."""
    payload: Payload | None
    read: Any | None
    """The event as it is read today, lifted by upcasters; ``None`` if this release cannot."""
    unreadable: str | None
    schema_version: int | None
    current_version: int | None
    """Of its type; ``None`` for one that the service does not have."""
    cause: RecordedEvent | None
    """The event that led directly to it; ``None``: a command from outside, or not found."""
    effects: Sequence[RecordedEvent]
    """The events that it led to directly, in order."""
    taken_in: Sequence[TakenIn] | None
    """``None``: the read models could not be asked."""
    lacks: Sequence[Incomplete]

    @property
    def lifted(self) -> bool:
        """Whether upcasters have changed what is stored."""
        versions = (self.schema_version, self.current_version)
        return None not in versions and versions[0] != versions[1]


async def explained(looking: Looking, recorded: RecordedEvent) -> Explained:
    """Everything about an event. Raises ``StoreUnavailable`` if the event store does not answer."""
    whole, payload = await _claimed(recorded, looking.payloads)
    read, unreadable = _read(whole) if whole else (None, payload.missing if payload else None)
    around = await correlated(looking.browser, recorded)
    by_id = {str(one.id): one for one in around.events}
    type_known = recorded.type in looking.service.catalogue.events
    return Explained(
        recorded,
        stored(recorded.metadata_json),
        stored(recorded.data),
        payload,
        read,
        unreadable,
        _schema_version(recorded),
        looking.service.catalogue.current_version(recorded.type) if type_known else None,
        by_id.get(recorded.causation_id or ""),
        [one for one in around.events if one.causation_id == str(recorded.id)],
        await _taken_in(recorded, looking),
        around.lacks,
    )


async def _claimed(
    recorded: RecordedEvent, payloads: PayloadStore | None
) -> tuple[RecordedEvent | None, Payload | None]:
    """The event with its full data, and where that is kept if not in the event."""
    if not refers(recorded):
        return await claim(recorded, payloads), None
    document = stored(recorded.data).get("$claimCheck")
    size = document.get("size") if isinstance(document, dict) else None
    try:
        digest = reference(recorded)
    except (PayloadUnavailable, ValueError) as error:
        return None, Payload("", size, str(error))
    try:
        return await claim(recorded, payloads), Payload(digest, size, None)
    except (PayloadUnavailable, StoreUnavailable) as error:
        return None, Payload(digest, size, str(error))


def _read(recorded: RecordedEvent) -> tuple[Any | None, str | None]:
    try:
        return _shown(recorded.event), None
    except UnreadableEvent as error:
        return None, str(error)


def _shown(event: Event) -> Any:
    """The event as data; the state in a snapshot too, so that its personal data can be masked."""
    document = plain(event)
    if isinstance(event, SnapshotTaken):
        document["state"] = stored(event.state.encode())
    return document


def _schema_version(recorded: RecordedEvent) -> int | None:
    try:
        return recorded.schema_version
    except UnreadableEvent:
        return None


async def _taken_in(recorded: RecordedEvent, looking: Looking) -> Sequence[TakenIn] | None:
    follow = {one.name for one in looking.service.read_models if recorded in one.events}
    if not follow:
        return []
    builds = looking.builds()
    try:
        standings = await builds.standings() if builds else None
    except StoreUnavailable:
        standings = None
    if standings is None:
        return None
    return [_stands(one, recorded) for one in standings if one.build.name in follow]


def _stands(standing: BuildStanding, recorded: RecordedEvent) -> TakenIn:
    build = standing.build
    position = standing.position
    has_it = None if position is None else position >= recorded.position
    return TakenIn(build.name, build.table, str(standing.role), has_it)
