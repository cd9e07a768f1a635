"""One order as one timeline: its events, and those of its payment, parcel, returns and exchanges,
and the steps of the sagas that drive it.

It is read from the streams themselves: a handful, and none of them is long.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from application.browsing.documents import Difference, author, differences, plain
from application.category import Category, split
from application.messages import RecordedEvent, UnreadableEvent
from application.ports import EventStore
from application.sagas.events import SagaEvent
from application.sagas.state import SagaState
from application.sagas.state import evolve as evolve_saga
from application.sagas.timeline import Timeline, TimelineEntry, extended
from application.shop.aggregates import EXCHANGE, ORDER, PAYMENT, SHIPMENT
from application.shop.sagas.goods_exchange import goods_exchange
from application.shop.sagas.order_fulfilment import order_fulfilment
from domain.orders import LinesClaimed
from domain.shop_values import OrderId

_OF_ORDER: Final = (ORDER, PAYMENT, SHIPMENT)
_OF_EXCHANGE: Final = (EXCHANGE, PAYMENT, SHIPMENT)


@dataclass(frozen=True)
class Moment:
    """An event of the story: who did it, how long after its cause, and what it changed."""

    recorded: RecordedEvent
    at: datetime
    by: str
    """Of a machine, also on whose behalf: ``order_fulfilment for ann``."""
    since: timedelta | None
    """Since the event that caused it, else since the one before; ``None`` for the first."""
    changes: Sequence[Difference] = ()
    unreadable: str = ""
    """Why this release cannot read the event; empty if it can."""


@dataclass(frozen=True)
class SagaStep:
    """A step of a saga with all its attempts, its undoing, or an operator's command."""

    saga: str
    id: str
    position: int
    """Of the event with which it began."""
    entry: TimelineEntry


@dataclass(frozen=True)
class OrderStory:
    """All that happened around one order, in the order in which it was recorded."""

    order_id: OrderId
    entries: Sequence[Moment | SagaStep]
    streams: Sequence[tuple[str, int]]
    """The streams with events, and the version of the last one."""


@dataclass(frozen=True)
class StateThen:
    """A stream as it was: the state after the event of that version, and which it was."""

    stream: str
    version: int
    last: int
    """The version of the newest event."""
    state: Any
    """As JSON could hold it."""
    event: RecordedEvent


@dataclass
class _Known:
    """What has been read so far."""

    moments: list[Moment] = field(default_factory=list)
    steps: list[SagaStep] = field(default_factory=list)
    streams: list[tuple[str, int]] = field(default_factory=list)
    exchanges: list[str] = field(default_factory=list)


async def order_story(store: EventStore, order_id: OrderId) -> OrderStory | None:
    """The story of an order, if there is one. Raises ``StoreUnavailable``, ``StreamUnusable``."""
    known = _Known()
    for category in _OF_ORDER:
        await _read(store, category, order_id, known)
    if not known.streams or known.streams[0][0] != ORDER.stream(order_id):
        return None
    await _read_saga(store, order_fulfilment.name, order_id, known)
    for exchange_id in dict.fromkeys(known.exchanges):
        for category in _OF_EXCHANGE:
            await _read(store, category, exchange_id, known)
        await _read_saga(store, goods_exchange.name, exchange_id, known)
    return OrderStory(order_id, _in_order(known), known.streams)


async def state_then(store: EventStore, stream: str, version: int) -> StateThen | None:
    """The aggregate as it was at that version; ``None`` where there is no such event.

    Raises ``ValueError`` for a stream that is not of an order, and ``UnreadableEvent``.
    """
    category = {one.name: one for one in (*_OF_ORDER, EXCHANGE)}.get(split(stream)[0])
    if category is None:
        raise ValueError(f"{stream} is not of an order: name an order, payment, shipment, exchange")
    state, last, found = category.decider.initial, -1, None
    async for recorded in store.read(stream):
        last = recorded.version
        if last <= version:
            state = category.decider.evolve(state, recorded.event)
            found = recorded
    if found is None or found.version != version:
        return None
    return StateThen(stream, version, last, plain(state), found)


async def _read(store: EventStore, category: Category, id: str, known: _Known) -> None:
    state: Any = category.decider.initial
    shown, readable, last = plain(state), True, None
    async for recorded in store.read(category.stream(id)):
        last, why = recorded, ""
        changes: Sequence[Difference] = ()
        try:
            event = recorded.event
            state = category.decider.evolve(state, event) if readable else state
        except UnreadableEvent as error:
            readable, why = False, str(error)
        if readable:
            now = plain(state)
            changes, shown = differences(shown, now), now
        if readable and isinstance(event, LinesClaimed):
            known.exchanges.append(event.exchange_id)
        known.moments.append(_moment(recorded, changes, why))
    if last is not None:
        known.streams.append((last.stream, last.version))


def _moment(recorded: RecordedEvent, changes: Sequence[Difference], why: str) -> Moment:
    try:
        metadata = recorded.metadata
    except UnreadableEvent as error:
        return Moment(recorded, recorded.recorded_at, "", None, changes, why or str(error))
    by = author(metadata.model_dump()) or ""
    return Moment(recorded, metadata.occurred_at, by, None, changes, why)


async def _read_saga(store: EventStore, name: str, id: str, known: _Known) -> None:
    state, last = SagaState(), None
    timeline: Timeline = ()
    positions: list[int] = []
    async for recorded in store.read(f"{name}-{id}"):
        last, event = recorded, cast("SagaEvent", recorded.event)
        state = evolve_saga(state, event)
        timeline = extended(timeline, event, state, recorded.occurred_at)
        positions += [recorded.position] * (len(timeline) - len(positions))
    known.steps += [
        SagaStep(name, id, position, entry)
        for position, entry in zip(positions, timeline, strict=False)
    ]
    if last is not None:
        known.streams.append((last.stream, last.version))


def _in_order(known: _Known) -> Sequence[Moment | SagaStep]:
    """By position, each event with the time since its cause, else since the one before."""
    moments = sorted(known.moments, key=_position)
    times = {str(one.recorded.id): one.at for one in moments}
    before: Moment | None = None
    timed: list[Moment | SagaStep] = [*known.steps]
    for one in moments:
        timed.append(_timed(one, times, before))
        before = one
    return sorted(timed, key=_position)


def _timed(one: Moment, times: dict[str, datetime], before: Moment | None) -> Moment:
    if one.unreadable or before is None:
        return one
    cause = times.get(one.recorded.metadata.causation_id, before.at)
    return Moment(one.recorded, one.at, one.by, max(one.at - cause, timedelta()), one.changes)


def _position(one: Moment | SagaStep) -> int:
    return one.recorded.position if isinstance(one, Moment) else one.position


def moments_of(story: OrderStory) -> Iterable[Moment]:
    """The events of the story, without the steps of sagas."""
    return (one for one in story.entries if isinstance(one, Moment))
