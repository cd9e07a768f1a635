"""One consumer of a group that a database keeps: its events, their settlements, and its task.

It visits its group: writes what was settled, and takes what it has room for. Once a visit has
failed, the consumer has ended, and its events go to others.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from application.backoff import Backoff
from application.messages import RecordedEvent
from application.ports import StoreUnavailable
from infrastructure.signalling import Signal, wait_for

_PACE: Final = 0.03  # seconds to the next visit, for each event: what comes meanwhile goes together
_LONGEST: Final = 0.1  # seconds to the next visit, however many events came
_TOGETHER: Final = 0.05  # seconds that settlements wait for others
_HELD_BACK: Final = Backoff(0.02, most=0.5)  # until the next visit, while events are held back
_DEADLINE: Final = 5.0  # seconds for leaving
_GONE: Final = "this consumer has left: its events go to others"


@dataclass
class Settled:
    """Settlements by position that are not written yet."""

    done: list[int] = field(default_factory=list)
    retry: dict[int, str] = field(default_factory=dict)  # with reasons

    def __bool__(self) -> bool:
        return bool(self.done or self.retry)


@dataclass(frozen=True)
class Taken:
    """The result of a visit."""

    events: Sequence[tuple[RecordedEvent, int]]  # each with its retries
    more: bool  # a part of the log was not read yet
    held_back: bool = False  # an open transaction holds back events


@dataclass(frozen=True)
class Seen:
    """What a look has seen, without taking anything."""

    work: bool  # a visit would find something
    held_back: bool = False  # as above


class Membership(Protocol):
    """A consumer's place in its group. All of it raises :class:`StoreUnavailable`."""

    @property
    def timeout(self) -> float:
        """Seconds after which what is not settled goes to others."""
        ...

    @property
    def net(self) -> float:
        """Seconds until a look without a notification: a dead consumer sends none."""
        ...

    async def look(self, room: int) -> Seen:
        """Whether there is anything to do for a consumer with that room."""
        ...

    async def visit(self, settled: Settled, room: int) -> Taken:
        """Write what was settled; take at most ``room`` events."""
        ...

    async def leave(self, settled: Settled, unseen: Sequence[int]) -> None:
        """Write the settlements, leave the rest to others; ``unseen`` do not count as delivered."""
        ...


class Consumer:
    """An iterator of deliveries, as long as ``run`` is running."""

    def __init__(self, membership: Membership, buffer: int) -> None:
        self._membership, self._buffer = membership, buffer
        self._held: dict[int, Delivery] = {}  # not settled, by position; the first to expire first
        self._unseen: deque[Delivery] = deque()  # those not taken from the iterator yet
        self._settled = Settled()
        self._due, self._came = asyncio.Event(), Signal()
        self._announced = True  # there may be events that were not looked for yet
        self._looks, self._left = 0, False  # looks that found events held back
        self._error: Exception | None = None

    def __aiter__(self) -> "Consumer":
        return self

    async def __anext__(self) -> "Delivery":
        while not (delivery := self._next()):
            await self._came.wait()
        return delivery

    def settle(self, delivery: "Delivery") -> Settled:
        """Remove the delivery, and return the settlements to which its own is added."""
        self._raise_if_ended()
        if not self._room:
            self._due.set()
        elif not self._settled:
            asyncio.get_running_loop().call_later(_TOGETHER, self._send)
        self._held.pop(delivery.position, None)
        return self._settled

    def _send(self) -> None:
        if self._settled:
            self._due.set()

    def announce(self) -> None:
        """There may be new events."""
        self._announced = True
        if self._room:
            self._due.set()

    async def run(self) -> None:
        """Run until the consumer leaves or a visit fails. The next call then raises."""
        try:
            while not self._left:
                await self._visit()
            unseen = [one.position for one in self._unseen]
            await self._membership.leave(self._settled, unseen)
        except Exception as error:  # whatever it is
            self._error = error
            self._came.send()

    def hurry(self) -> None:
        """Send the settlements at once: others wait for one of the events."""
        self._due.set()

    def leave(self) -> None:
        """Make ``run`` end."""
        self._left = True
        self._due.set()
        self._came.send()

    def _next(self) -> "Delivery | None":
        self._raise_if_ended()
        while self._unseen:
            delivery = self._unseen.popleft()
            if self._holds(delivery):
                return delivery
            self._due.set()  # there is room again
        return None

    def _holds(self, delivery: "Delivery") -> bool:
        """Whether it is still this consumer's: it may have expired, and gone to another."""
        return self._held.get(delivery.position) is delivery

    @property
    def _room(self) -> int:
        """The number of events to take: none while taken ones expire without being used."""
        asks = all(map(self._holds, self._unseen))
        return self._buffer - len(self._held) if asks else 0

    def _raise_if_ended(self) -> None:
        if self._left:
            raise StoreUnavailable(_GONE)
        if self._error:
            raise self._error

    async def _visit(self) -> None:
        self._due.clear()
        self._let_go()
        room, began = self._room, _now()
        if not (self._settled or (self._announced and room)):
            seen = await self._membership.look(room)
            if not seen.work:
                await self._wait(held_back=seen.held_back)
                return
        self._announced, settled, self._settled = False, self._settled, Settled()
        taken = await self._membership.visit(settled, room)
        self._take(taken.events)
        full = len(taken.events) == room
        if taken.more or full:
            self._announced = True
        if not taken.more:
            await self._wait(held_back=taken.held_back)
            pause = _PACE if full else _pause(len(taken.events))
            await asyncio.sleep(began + pause - _now())

    def _take(self, events: Sequence[tuple[RecordedEvent, int]]) -> None:
        deadline = _now() + self._membership.timeout
        for recorded, retries in events:
            delivery = Delivery(recorded, retries, deadline, self)
            self._held[delivery.position] = delivery
            self._unseen.append(delivery)
        if events:
            self._came.send()

    async def _wait(self, *, held_back: bool) -> None:
        """Wait for something to do. Without room, new events do not matter."""
        within = _HELD_BACK.longest(self._looks) if held_back else self._membership.net
        self._looks = self._looks + 1 if held_back else 0
        first = next(iter(self._held.values()), None)
        expiry = first.deadline - _now() if first else within
        await wait_for(self._due, max(0.0, min(within, expiry)))

    def _let_go(self) -> None:
        """Drop expired events, which makes room. The database delivers them again."""
        now = _now()
        for position in [p for p, held in self._held.items() if held.deadline <= now]:
            del self._held[position]


@asynccontextmanager
async def at_work(consumer: Consumer, group: str) -> AsyncIterator[Consumer]:
    """The consumer runs as long as the block lasts, and has left after it."""
    task = asyncio.create_task(consumer.run(), name=f"consumer of {group}")
    try:
        yield consumer
    finally:
        consumer.leave()
        try:
            await asyncio.wait([task], timeout=_DEADLINE)
        finally:
            task.cancel()
            await asyncio.wait([task])


class Delivery:
    """A :class:`~application.ports.Delivery`; it cannot be settled once its consumer has left.

    A settlement is sent at the next look, and not confirmed. If it is lost, the event comes again.
    """

    def __init__(
        self, recorded: RecordedEvent, retries: int, deadline: float, consumer: Consumer
    ) -> None:
        self.recorded, self.retries, self.deadline = recorded, retries, deadline
        self._consumer = consumer

    @property
    def position(self) -> int:
        return self.recorded.position

    async def ack(self) -> None:
        self._consumer.settle(self).done.append(self.position)

    async def retry(self, reason: str) -> None:
        self._consumer.settle(self).retry[self.position] = reason
        self._consumer.hurry()


def _pause(taken: int) -> float:
    """Seconds to the next visit: more when many come, whose effects are then stored together."""
    return min(_LONGEST, _PACE * max(1, taken))


def _now() -> float:
    return asyncio.get_running_loop().time()
