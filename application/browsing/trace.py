"""Everything that one request has set off: commands, events, saga steps, published records.

Events know their cause (``$causationId``): another event, or the command that led to them. So the
events of a correlation form trees, whose roots are commands from outside.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from application.browsing.correlated import Correlated, correlated, of_correlation
from application.browsing.documents import author, stored
from application.browsing.places import (
    Looking,
    NothingFound,
    as_id,
    event_named,
    stream_named,
)
from application.browsing.published import Record, records_of  # only: bus
from application.category import split
from application.messages import RecordedEvent, UnreadableEvent
from application.ports import Incomplete, Reading
from application.service import Service


class Origin(StrEnum):
    """What an event follows from."""

    REQUEST = "request"
    """A command from outside: it begins a tree."""
    EVENT = "event"
    LOST = "lost"
    """Its cause is not among the events of the correlation: gone, not read, or elsewhere."""
    CYCLE = "cycle"
    """It follows, over others, from itself: another system wrote that."""


@dataclass(frozen=True)
class Step:
    """One event in the tree."""

    recorded: RecordedEvent
    depth: int
    """0 for a root."""
    origin: Origin
    what: str
    """``OrderPlaced``; of a saga with the step: ``StepCompleted take_payment``."""
    by: str | None
    """Who did it; of a machine, also on whose behalf."""
    at: datetime
    """When it happened; when it was recorded, where the writer did not say."""
    latency: float | None
    """Seconds since its cause was recorded; ``None`` for a root."""
    saga: str | None
    """The name of the saga whose step it is."""
    records: Sequence[Record] = ()  # only: bus


@dataclass(frozen=True)
class Trace:
    """The trees of one correlation, as a list: each event is followed by what it led to."""

    correlation_id: str
    steps: Sequence[Step]
    traceparent: str | None
    more: bool
    """Whether there are, or may be, more events than these."""
    lacks: Sequence[Incomplete]
    others: Sequence[str] = ()
    """Other correlations of the stream that was asked for."""

    @property
    def began(self) -> datetime | None:
        return min((one.at for one in self.steps), default=None)

    @property
    def seconds(self) -> float:
        """From the first event to the last, as they were recorded."""
        times = [one.recorded.recorded_at for one in self.steps]
        return (max(times) - min(times)).total_seconds() if times else 0.0


async def trace(looking: Looking, name: str) -> Trace:
    """The trace of a correlation id, of an event (its id, or STREAM@VERSION), or of a stream (its
    name, or the id in it).

    Raises :class:`NothingFound`, and ``StoreUnavailable``.
    """
    if "@" in name:
        return await _of_event(looking, await event_named(looking.browser, name))
    if stream := await stream_named(looking, name):
        return await _of_stream(looking, stream)
    found = await of_correlation(looking.browser, name)
    if found.events:
        return await _made(looking, name, found)
    if as_id(name) is None:
        raise NothingFound(
            f"{name!r} is no correlation id, stream, event or id of "
            f"{_listed(looking.service)} in this event store"
        )
    return await _of_event(looking, await event_named(looking.browser, name))


async def _of_event(looking: Looking, recorded: RecordedEvent) -> Trace:
    found = await correlated(looking.browser, recorded)
    return await _made(looking, recorded.correlation_id or "", found)


async def _of_stream(looking: Looking, stream: str) -> Trace:
    """Of the request that began it; later ones are named as ``others``."""
    there = await looking.browser.stream(stream, Reading(newest_first=False, limit=500))
    first = there.items[0]
    ids = dict.fromkeys(one.correlation_id for one in there.items)
    found = await correlated(looking.browser, first)
    made = await _made(looking, first.correlation_id or "", found)
    others = [id for id in ids if id is not None and id != first.correlation_id]
    return Trace(**{**vars(made), "others": others})


async def _made(looking: Looking, correlation_id: str, found: Correlated) -> Trace:
    records = await records_of(looking, found.events)  # only: bus
    steps = [
        _step(
            looking,
            *placed,
            records.get(placed[0].id, ()),  # only: bus
        )
        for placed in _in_order(found.events)
    ]
    parents = (_metadata(one, "traceparent") for one in found.events)
    traceparent = next((one for one in parents if one), None)
    return Trace(correlation_id, steps, traceparent, found.more, found.lacks)


_Placed = tuple[RecordedEvent, int, Origin, RecordedEvent | None]


def _in_order(events: Sequence[RecordedEvent]) -> Iterator[_Placed]:
    """Depth first; each event once, whatever its cause says."""
    by_id = {str(one.id): one for one in events}
    led_to: defaultdict[str, list[RecordedEvent]] = defaultdict(list)
    for one in events:
        led_to[one.causation_id or ""].append(one)
    left = dict(by_id)
    for origin, begins in (
        (Origin.REQUEST, [one for one in events if _origin(one, by_id) is Origin.REQUEST]),
        (Origin.LOST, [one for one in events if _origin(one, by_id) is Origin.LOST]),
        (Origin.CYCLE, list(events)),  # what no root leads to
    ):
        for first in begins:
            waiting: list[_Placed] = [(first, 0, origin, None)]
            while waiting:
                placed = waiting.pop()
                recorded, depth = placed[:2]
                if left.pop(str(recorded.id), None) is None:
                    continue
                yield placed
                effects = reversed(led_to[str(recorded.id)])
                waiting += [(one, depth + 1, Origin.EVENT, recorded) for one in effects]


def _origin(recorded: RecordedEvent, by_id: Mapping[str, RecordedEvent]) -> Origin:
    if recorded.causation_id in by_id:
        return Origin.EVENT
    command = _metadata(recorded, "command_id")
    return Origin.REQUEST if command and command == recorded.causation_id else Origin.LOST


def _step(
    looking: Looking,
    recorded: RecordedEvent,
    depth: int,
    origin: Origin,
    cause: RecordedEvent | None,
    records: Sequence[Record],  # only: bus
) -> Step:
    category, _ = split(recorded.stream)
    saga = category if category in looking.service.versions else None
    data = stored(recorded.data) if saga else {}
    step = data.get("step") if isinstance(data, dict) else None
    took = (recorded.recorded_at - cause.recorded_at).total_seconds() if cause else None
    return Step(
        recorded,
        depth,
        origin,
        f"{recorded.type} {step}" if isinstance(step, str) else recorded.type,
        author(stored(recorded.metadata_json)),
        _occurred_at(recorded),
        took,
        saga,
        records,  # only: bus
    )


def _metadata(recorded: RecordedEvent, name: str) -> str | None:
    document: Any = stored(recorded.metadata_json)
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else None


def _occurred_at(recorded: RecordedEvent) -> datetime:
    try:
        return recorded.occurred_at
    except UnreadableEvent:
        return recorded.recorded_at


def _listed(service: Service[Any]) -> str:
    return ", ".join(one.name for one in service.categories)
