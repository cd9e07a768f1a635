"""Handles the events of one consumer group in one process, and deals with failures.

Handles many events at once, but those of one stream one after another. While a store or a provider
is unavailable, it keeps the event and tries again. After any other error it tries a few times, then
parks the event, and all that follow it in its stream, until an operator replays or discards it.
Other streams go on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from application.claim_check import claim
from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.parking import PARKING, EventDiscarded, EventParked, ReplayRequested
from application.parking_stream import ParkingStream
from application.patient_parking import PatientParking
from application.personal.sealing import draft_of
from application.ports import (
    ConsumerGroups,
    Delivery,
    EventStore,
    PayloadStore,
    StoreUnavailable,
    StreamUnusable,
)
from application.retrying import BACKOFF, Retrying
from domain.personal import MASK

T = TypeVar("T")

HANDED_OUT: Final = 10
"""An event that was redelivered this often is parked without an attempt: it kills its workers."""
SUSPECT: Final = 3  # from then on it is handled alone, so that a crash affects no other event
_MESSAGE_TIMEOUT: Final = 3600.0  # a dead worker's events are free at once; this is for a hung one
_DEADLY: Final = "it may kill its workers: it got no answer, handed out"
_GONE: Final = "it is not in its stream any more"
_OWN: Final = PARKING.only(ReplayRequested, EventDiscarded)

Handle = Callable[[RecordedEvent], Awaitable[None]]


class GroupConsumer:
    """Handles the events that ``only`` admits, each at least once. ``run`` it as a task.

    ``handle`` gets each event with its full data, and must be idempotent. Any number of processes
    share the work of the group.
    """

    def __init__(
        self,
        group: str,
        only: EventFilter,
        handle: Handle,
        groups: ConsumerGroups,
        store: EventStore,
        payloads: PayloadStore | None,
        parking: ParkingStream,
        *,
        at_once: int = 128,
        tries: int = 3,
        steady: float = BACKOFF.most,
        pause: Callable[[int], Awaitable[None]] = BACKOFF,
    ) -> None:
        """Handles at most ``at_once`` events at a time. Awaits ``pause(n)`` between attempts.

        After a connection of ``steady`` seconds, or a delivery, ``n`` starts at 1 again.
        """
        self._group, self._only, self._handle = group, only | _OWN, handle
        self._groups, self._store, self._payloads, self._parking = groups, store, payloads, parking
        self._at_once, self._pause, self._retrying = at_once, pause, Retrying(pause, tries)
        self._alone, self._breaks, self._steady = asyncio.Lock(), 0, steady
        self._on_parking = PatientParking(self._retrying)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def stalled(self) -> str | None:
        """The reason that no event is handled, until an operator has removed it.

        That is a parking stream that cannot be read: which events are parked is then unknown.
        """
        return self._on_parking.stalled

    async def run(self) -> None:
        """Handle events until cancelled. When the connection breaks, it subscribes again.

        When cancelled, each event is settled or will be delivered again.
        """
        while True:
            try:
                await self._consume()
            except* (StoreUnavailable, KeyError):  # KeyError: the group was deleted
                pass
            raise_if_cancelled()
            self._breaks += 1
            await self._pause(self._breaks)

    async def _consume(self) -> None:
        await self._groups.ensure(
            self._group,
            only=self._only,
            message_timeout=_MESSAGE_TIMEOUT,
        )
        async with (
            self._groups.consume(self._group, only=self._only, buffer=self._at_once) as deliveries,
            asyncio.TaskGroup() as tasks,
        ):
            steady = asyncio.get_running_loop().call_later(self._steady, self._reset)
            this = asyncio.current_task()
            name = this.get_name() if this else None  # its work counts as that of the group
            try:
                async for delivery in deliveries:
                    self._reset()
                    tasks.create_task(self._settle(delivery), name=name)
            finally:
                steady.cancel()

    def _reset(self) -> None:
        """The connection works: the next break is the first one again."""
        self._breaks = 0

    async def _settle(self, delivery: Delivery) -> None:
        recorded, handed_out = delivery.recorded, delivery.retries
        if recorded not in _OWN:
            await self._take(recorded, handed_out)
        elif recorded.stream == self._parking.stream:
            event = recorded.event
            assert isinstance(event, ReplayRequested | EventDiscarded)
            await self._go_on(event.stream, handed_out)
        await delivery.ack()

    async def _take(self, recorded: RecordedEvent, handed_out: int) -> None:
        async with self._turn(recorded.stream):
            if not await self._on_parking(partial(self._parking.holds, recorded)):
                await self._handled(recorded, handed_out)

    async def _go_on(self, stream: str, handed_out: int) -> None:
        """Handle the due events of that stream, in order, up to one that fails again."""
        async with self._turn(stream):
            while held := (await self._on_parking(self._parking.look)).due(stream):
                try:
                    recorded = await self._retrying.patiently(partial(self._recorded, held.parked))
                except StreamUnusable as error:  # to be replayed once the stream is mended
                    await self._on_parking(
                        partial(self._parking.park_again, held.parked, str(error))
                    )
                    return
                if recorded is None:
                    gone = partial(self._parking.discard, held.parked.event_id, self._group, _GONE)
                    await self._on_parking(gone)
                elif await self._handled(recorded, handed_out):
                    await self._on_parking(partial(self._parking.finish, recorded))

    def _turn(self, stream: str) -> asyncio.Lock:
        """Held while an event of that stream is handled; first come, first served."""
        return self._turns.setdefault(stream, asyncio.Lock())

    async def _recorded(self, parked: EventParked) -> RecordedEvent | None:
        events = self._store.read(parked.stream, from_version=parked.version, limit=1)
        return next((one for one in [e async for e in events] if one.id == parked.event_id), None)

    async def _handled(self, recorded: RecordedEvent, handed_out: int) -> bool:
        """Whether it was handled; else it is parked."""
        if handed_out > HANDED_OUT:
            await self._park(recorded, f"{_DEADLY} {handed_out + 1} times", handed_out)
            return False
        attempt = self._attempt if handed_out < SUSPECT else self._attempt_alone
        if failure := await self._retrying.failure(partial(attempt, recorded)):
            error = await self._masked(recorded, str(failure))
            await self._park(recorded, error, failure.attempts)
        return failure is None

    async def _attempt(self, recorded: RecordedEvent) -> None:
        await self._handle(await claim(recorded, self._payloads))

    async def _attempt_alone(self, recorded: RecordedEvent) -> None:
        await self._pause(1)  # jitter: the others are likely to come before the event that fails
        async with self._alone:
            await self._attempt(recorded)

    async def _park(self, recorded: RecordedEvent, error: str, attempts: int) -> None:
        await self._on_parking(partial(self._parking.park, recorded, error, attempts))

    async def _masked(self, recorded: RecordedEvent, error: str) -> str:
        """The error without the personal texts of its event: it is stored in the clear."""
        if recorded.decoder.personal is None:
            return error
        try:
            whole = await self._retrying.patiently(partial(claim, recorded, self._payloads))
            draft = draft_of(whole.event, recorded.stream)
        except Exception:  # whatever it is: it was the failure, and nothing has been read
            return error
        for text in sorted(draft.texts, key=len, reverse=True) if draft else ():
            error = error.replace(text, MASK)
        return error


def raise_if_cancelled() -> None:
    """Until Python 3.13, a task group that raises an error of its own swallows a cancellation."""
    if (task := asyncio.current_task()) and task.cancelling():
        raise asyncio.CancelledError
