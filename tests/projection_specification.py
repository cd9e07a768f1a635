"""Given these events, then there are these views, however often each event is delivered."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic
from uuid import NAMESPACE_OID, uuid5

from application.catalogue import Catalogue
from application.messages import Context, RecordedEvent
from application.ports import Removed, Seen, V
from application.projections.folding import fold, taken_in
from application.projections.gathering import gather, moves_by_view, part_changes
from application.projections.projection import Projection
from domain.decider import Event

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    """When the event number ``minute`` of a history happened: one a minute."""
    return START + timedelta(minutes=minute)


def recorded(catalogue: Catalogue, history: Iterable[tuple[str, Event]]) -> Sequence[RecordedEvent]:
    """Events as a store would record them, each with its stream; positions have gaps."""
    return recorded_at(catalogue, ((minute, *past) for minute, past in enumerate(history)))


def recorded_at(
    catalogue: Catalogue, history: Iterable[tuple[int, str, Event]]
) -> Sequence[RecordedEvent]:
    """The same, and each says in which minute it happened."""
    versions: dict[str, int] = {}
    events = []
    for number, (minute, stream, event) in enumerate(history):
        versions[stream] = versions.get(stream, -1) + 1
        id = uuid5(NAMESPACE_OID, str(number))
        new = catalogue.new_event(event, id, Context.start("a test", id, at(minute)))
        metadata = new.metadata.to_json()
        position = number * 100
        events.append(
            RecordedEvent(
                new.id,
                new.type,
                new.data,
                metadata,
                stream,
                versions[stream],
                position,
                at(number),
                catalogue,
            )
        )
    return events


@dataclass(frozen=True)
class ProjectionSpecification(Generic[V]):
    """Starts a sentence about one projection of a service with this catalogue."""

    catalogue: Catalogue
    projection: Projection[V]

    def given(self, *history: tuple[str, Event]) -> "Given[V]":
        """What has happened in which stream, oldest first."""
        return Given(self.projection, recorded(self.catalogue, history))

    def given_at(self, *history: tuple[int, str, Event]) -> "Given[V]":
        """The same, and each says in which minute it happened."""
        return Given(self.projection, recorded_at(self.catalogue, history))


@dataclass(frozen=True)
class Given(Generic[V]):
    projection: Projection[V]
    events: Sequence[RecordedEvent]

    def then(self, expected: Mapping[str, V]) -> None:
        """These are all the views, in whatever batches and however often the events come."""
        for size in (1, 2, len(self.events)):
            for deliveries in _deliveries(self.events):
                assert dict(expected) == self._views(deliveries, size)

    def then_keys(self, expected: Collection[str]) -> None:
        """There are views of these keys and no others."""
        assert set(expected) == set(self._views(self.events, 1))

    def _views(self, deliveries: Sequence[RecordedEvent], size: int) -> Mapping[str, V]:
        views: dict[str, Seen[V] | Removed] = {}
        parts: dict[str, Seen[Any] | Removed] = {}
        for start in range(0, len(deliveries), size):
            batch = deliveries[start : start + size]
            if self.projection.parts is None:
                views |= fold(self.projection, batch, views)
                continue
            declared = self.projection.parts
            steps = taken_in(declared.keys, declared.evolve, batch, parts)
            changes = part_changes(steps, merged=True)
            views |= gather(declared, moves_by_view(declared, changes), views)
            parts |= {change.key: change.after for change in changes}
        return {key: seen.view for key, seen in views.items() if isinstance(seen, Seen)}


def _deliveries(events: Sequence[RecordedEvent]) -> Iterator[Sequence[RecordedEvent]]:
    yield events
    yield [recorded for recorded in events for _ in range(3)]
    for restart in range(len(events) + 1):  # after a restart, all once more
        yield [*events[:restart], *events]
