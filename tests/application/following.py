"""A store to follow that can fail, and subscribers that read as much as a test says."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from weakref import WeakSet

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import Progress, StoreUnavailable, Subscriptions
from infrastructure import memory
from tests.contracts.made_up import event, name
from tests.sample.service import SAMPLE

TYPES = ("A", "B", "C")
ALL = EventFilter.of("stream", *TYPES)


class Log(memory.Subscriptions):
    """Each subscription gets objects of its own, as from a wire, and all of them can break."""

    def __init__(self) -> None:
        self.store = memory.EventStore(SAMPLE.catalogue)
        super().__init__(self.store)
        self.begun = 0
        self.alive: WeakSet[RecordedEvent] = WeakSet()
        self._broken = asyncio.Event()

    def break_off(self) -> None:
        """All subscriptions fail at their next event."""
        self._broken.set()
        self._broken = asyncio.Event()

    async def put(self, *types: str) -> None:
        for type in types:
            await self.store.append(name(), [event(type)], -1)

    def held(self, after: int, only: EventFilter) -> list[int]:
        """The positions of the events that a subscriber is to get."""
        return [one.position for one in self.store.after(after, 10_000) if one in only]

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        self.begun += 1
        broken = self._broken
        async with super().catch_up(after=after, only=only) as messages:
            yield self._own(messages, broken)

    async def _own(
        self, messages: AsyncIterator[RecordedEvent | Progress], broken: asyncio.Event
    ) -> AsyncIterator[RecordedEvent | Progress]:
        async for message in messages:
            if broken.is_set():
                raise StoreUnavailable("the connection broke")
            if isinstance(message, RecordedEvent):
                message = replace(message)
                self.alive.add(message)
            yield message
            await asyncio.sleep(0)  # each comes apart


class Subscriber:
    """Reads as many messages as it is allowed; subscribes again when the store fails."""

    def __init__(self, after: int, only: EventFilter) -> None:
        self.after, self.only, self.position = after, only, after
        self.events: list[int] = []
        self.last: RecordedEvent | None = None
        self.at_end = False
        self.errors = 0
        self.arrived_at = 0.0  # the last message
        self._allowed = asyncio.Semaphore(0)
        self._task: asyncio.Task[None] | None = None

    def join(self, subscriptions: Subscriptions) -> None:
        self._task = self._task or asyncio.create_task(self._read(subscriptions))

    async def leave(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def allow(self, messages: int) -> None:
        for _ in range(messages):
            self._allowed.release()

    async def _read(self, subscriptions: Subscriptions) -> None:
        while True:
            try:
                await self._follow(subscriptions)
            except StoreUnavailable:
                self.errors += 1

    async def _follow(self, subscriptions: Subscriptions) -> None:
        async with subscriptions.catch_up(after=self.position, only=self.only) as messages:
            while True:
                await self._allowed.acquire()
                message = await anext(messages)
                assert message.position >= self.position
                self.position = message.position
                self.arrived_at = asyncio.get_running_loop().time()
                self.at_end = isinstance(message, Progress) and message.caught_up
                if isinstance(message, RecordedEvent):
                    self.last = message
                    self.events.append(message.position)


async def settle() -> None:
    """Let everything happen that can happen now; in virtual time."""
    await asyncio.sleep(0.2)


async def all_at_end(subscribers: Collection[Subscriber]) -> None:
    """Let all read on until they have seen the end of the log."""
    for one in subscribers:
        one.at_end = False
        one.allow(1_500)
    await settle()
    assert all(one.at_end for one in subscribers)
