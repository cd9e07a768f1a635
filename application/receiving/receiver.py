"""Turns the integration events of one publisher into commands, in one process.

Handles the events of one key one after another, and those of different keys at once. While a store
is unavailable, an event waits, and so do later ones of its partition. An event that cannot be read,
is refused, or fails otherwise a few times is set aside in a stream of the event store and parked,
and all that follow it under its key wait behind it, until an operator replays or discards it.

A record counts as done once its commands are stored, or once it is parked. An event that comes
again changes nothing: the ids of its commands are made of its source and its id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final
from weakref import WeakValueDictionary

from application.command_dispatch import CommandDispatch
from application.consuming import GroupConsumer, raise_if_cancelled
from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.parking_stream import ParkingStream
from application.patient_parking import PatientParking
from application.ports import (
    Arrival,
    Arrivals,
    ConsumerGroups,
    EventStore,
    IncomingRecords,
    PayloadStore,
    StoreUnavailable,
    TopicLag,
)
from application.receiving.events import RecordKept
from application.receiving.handling import Handling, Opens, Outcome, ReadRecord, as_it_is
from application.receiving.incoming import Incoming
from application.receiving.shelf import Shelf
from application.retrying import BACKOFF, Failure, GivenUp, Retrying

BUFFER: Final = 100  # records of one partition that are handled at once
DEADLY: Final = 3
"""A record is parked without an attempt when so many consumers have died of it."""

Count = Callable[[Outcome], None]


def uncounted(_: Outcome) -> None:
    pass


class Deadly(Exception):
    """A record may kill the process that handles it."""


class Receiver:
    """Receives for one :class:`Incoming`. ``run`` it as a task; any number of processes share."""

    def __init__(
        self,
        incoming: Incoming,
        group: str,
        records: IncomingRecords,
        dispatch: CommandDispatch,
        store: EventStore,
        groups: ConsumerGroups,
        payloads: PayloadStore | None,
        clock: Callable[[], datetime],
        *,
        opened: Opens = as_it_is,
        count: Count = uncounted,
        buffer: int = BUFFER,
        tries: int = 3,
        pause: Callable[[int], Awaitable[None]] = BACKOFF,
    ) -> None:
        """``group``: under which the bus keeps how far it has come.

        ``opened`` opens what is personal in an event. ``store`` has the full data of its events:
        see ``claim_check``. Awaits ``pause(n)`` after the n-th of ``tries`` attempts, and between
        attempts to connect.
        """
        self._incoming, self._group, self._records = incoming, group, records
        self._count, self._shelf = count, Shelf(store, incoming.publisher, clock)
        self._handling = Handling(incoming, dispatch, self._shelf, clock, opened)
        self._parking = ParkingStream(store, incoming.publisher, clock)
        self._retrying, self._pause, self._buffer = Retrying(pause, tries), pause, buffer
        self._on_parking = PatientParking(self._retrying)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._arrivals: Arrivals | None = None
        self._broken: str | None = None
        self._breaks = 0
        self._replays = GroupConsumer(
            incoming.publisher,
            EventFilter(frozenset()),  # only what operators request
            self._replay,
            groups,
            store,
            payloads,
            ParkingStream(store, incoming.publisher, clock),
            tries=tries,
            pause=pause,
        )

    @property
    def stalled(self) -> str | None:
        """The reason that nothing is handled until an operator acts: see ``GroupConsumer``."""
        return self._on_parking.stalled or self._replays.stalled

    @property
    def fault(self) -> str | None:
        """What keeps records from this process now; it passes by itself."""
        return self._broken or (self._arrivals.fault if self._arrivals else None)

    def lags(self) -> Mapping[str, TopicLag]:
        """What this process has not handled, by topic; empty while it is not connected."""
        return self._arrivals.lags() if self._arrivals else {}

    async def run(self) -> None:
        """Handle records until cancelled. When the connection breaks, it connects again.

        When cancelled, each record is done or will come again.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._replays.run())
            tasks.create_task(self._receive())

    async def _receive(self) -> None:
        while True:
            try:
                await self._consume()
            except* StoreUnavailable as error:
                self._broken = str(error.exceptions[0])
            raise_if_cancelled()
            self._breaks += 1
            await self._pause(self._breaks)

    async def _consume(self) -> None:
        topics = self._incoming.topics
        async with self._records.consume(self._group, topics, buffer=self._buffer) as arrivals:
            self._arrivals, self._broken = arrivals, None
            try:
                async with asyncio.TaskGroup() as tasks:
                    async for arrival in arrivals:
                        self._breaks = 0
                        tasks.create_task(self._settle(arrival))
            finally:
                self._arrivals = None

    async def _settle(self, arrival: Arrival) -> None:
        read = self._handling.read(arrival.record)
        async with self._turns.setdefault(read.stream, asyncio.Lock()):  # first come, first served
            try:
                outcome = await self._take(read, arrival)
            except GivenUp:
                arrival.drop()
                return
        arrival.done()
        self._count(outcome)

    async def _take(self, read: ReadRecord, arrival: Arrival) -> Outcome:
        """Handle it, or set it aside. Raises ``GivenUp`` once the partition is lost."""
        if ignored := self._handling.ignored(read):
            return ignored
        _require(arrival)
        parked = await self._on_parking(self._parking.look)
        if read.id in parked.held or read.id in parked.discarded:
            return Outcome.KNOWN
        if parked.first(read.stream) and await self._waits(read):
            return Outcome.PARKED
        if failure := await self._failure(read, arrival):
            recorded = await self._kept(read)
            await self._on_parking(
                partial(self._parking.park, recorded, str(failure), failure.attempts)
            )
            return Outcome.PARKED
        return Outcome.HANDLED

    async def _waits(self, read: ReadRecord) -> bool:
        """Whether it is parked now, behind an earlier record of its key."""
        return await self._on_parking(partial(self._parking.holds, await self._kept(read)))

    async def _kept(self, read: ReadRecord) -> RecordedEvent:
        keep = partial(self._shelf.keep, read.stream, read.id, read.record)
        return await self._retrying.patiently(keep)

    async def _failure(self, read: ReadRecord, arrival: Arrival) -> Failure | None:
        if read.wrong:
            return Failure(read.wrong, 1)  # it would fail again in the same way
        if arrival.deaths >= DEADLY:
            return Failure(Deadly(f"{arrival.deaths} processes ended while they handled it"), 0)

        async def attempt() -> None:
            _require(arrival)
            await self._handling.carry_out(read)

        return await self._retrying.failure(attempt)

    async def _replay(self, recorded: RecordedEvent) -> None:
        """Handle a record that was set aside. Raises what is wrong with it."""
        event = recorded.event
        assert isinstance(event, RecordKept)  # the parking of this group has only these
        await self._handling.carry_out(self._handling.read(event.record))


def _require(arrival: Arrival) -> None:
    if arrival.lost:
        raise GivenUp("another consumer has the partition")
