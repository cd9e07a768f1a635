"""One consumer of a group: its events, their settlements, and its task.

A consumer is one connection. When that breaks, the consumer has ended, and its events go to others.
"""

import asyncio
from collections import deque
from typing import Final

from application.backoff import Backoff
from application.messages import RecordedEvent
from application.ports import StoreUnavailable
from infrastructure.postgres.connections import unavailable
from infrastructure.postgres.events.handing_out import Membership, Settled
from infrastructure.signalling import Signal, wait_for_any

_NET: Final = 0.5  # seconds until a look without a notification: a dead consumer sends none
_PACE: Final = 0.005  # seconds from one look to the next: what comes meanwhile goes together
_HELD_BACK: Final = Backoff(0.02, most=_NET)  # until the next look, while events are held back
_GONE: Final = "this consumer has left: its events go to others"


class Consumer:
    """An iterator of deliveries, as long as ``run`` is running."""

    def __init__(self, membership: Membership, events: Signal, buffer: int) -> None:
        self._membership, self._events, self._buffer = membership, events, buffer
        self._held: dict[int, Delivery] = {}  # not settled, by position; the first to expire first
        self._unseen: deque[Delivery] = deque()  # those not taken from the iterator yet
        self._settled = Settled()
        self._look, self._came = asyncio.Event(), Signal()
        self._looks, self._left = 0, False  # looks at events that are held back
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
        self._held.pop(delivery.position, None)
        self._look.set()
        return self._settled

    async def run(self) -> None:
        """Run until the consumer leaves or its connection breaks. The next call then raises."""
        try:
            with unavailable():
                while not self._left:
                    await self._visit()
                unseen = [one.position for one in self._unseen]
                await self._membership.leave(self._settled, unseen)
        except Exception as error:  # whatever it is
            self._error = error
            self._came.send()

    def leave(self) -> None:
        """Make ``run`` end."""
        self._left = True
        self._look.set()
        self._came.send()

    def _next(self) -> "Delivery | None":
        self._raise_if_ended()
        while self._unseen:
            delivery = self._unseen.popleft()
            if self._holds(delivery):
                return delivery
            self._look.set()  # there is room again
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
        change, began = self._events.next, _now()
        self._look.clear()
        self._let_go()
        settled, self._settled = self._settled, Settled()
        taken = await self._membership.visit(settled, self._room)
        deadline = _now() + self._membership.timeout
        for recorded, retries in taken.events:
            delivery = Delivery(recorded, retries, deadline, self)
            self._held[delivery.position] = delivery
            self._unseen.append(delivery)
        if taken.events:
            self._came.send()
        if not taken.more:
            await self._wait(change, _HELD_BACK.longest(self._looks) if taken.held_back else _NET)
            await asyncio.sleep(began + _PACE - _now())
        self._looks = self._looks + 1 if taken.held_back else 0

    async def _wait(self, change: asyncio.Event, within: float) -> None:
        """Wait for something to do. Without room, new events do not matter."""
        first = next(iter(self._held.values()), None)
        expiry = first.deadline - _now() if first else within
        changes = [self._look, change] if self._room else [self._look]
        await wait_for_any(changes, max(0.0, min(within, expiry)))

    def _let_go(self) -> None:
        """Drop expired events, which makes room. The database delivers them again."""
        now = _now()
        for position in [p for p, held in self._held.items() if held.deadline <= now]:
            del self._held[position]


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


def _now() -> float:
    return asyncio.get_running_loop().time()
