"""A service in memory with a clock of its own: nothing waits, time passes when it is told to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Generic
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.event_filter import EventFilter
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import Appended, EventStore
from application.reactions import O
from application.sagas.attempting import Perform
from application.sagas.deadlines import Deadlines
from application.sagas.engine import SagaEngine
from application.sagas.operating import SagaCommand
from application.sagas.performing import Performer
from application.sagas.saga import Saga
from application.sagas.state import SagaState
from application.service import Service
from domain.decider import Command
from infrastructure import memory
from infrastructure.providers.simulated import Fault, Faults

ROUNDS = 400  # wakings after which a saga that is not at its end never will be
PATIENCE = 10.0  # seconds that a provider may take


class Killed(BaseException):
    """The process has ended here."""


@dataclass
class Moments:
    """Counts the moments at which something may happen: before and after every call outside."""

    happens: Mapping[int, Callable[[], Any]] = field(default_factory=dict)
    passed: int = 0

    async def pass_one(self) -> None:
        self.passed += 1
        if happening := self.happens.get(self.passed):
            await happening()


class Watched:
    """Any object with awaited methods, with a moment before and after each call."""

    def __init__(self, inner: Any, moments: Moments) -> None:
        self._inner, self._moments = inner, moments

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def call(*args: Any, **named: Any) -> Any:
            await self._moments.pass_one()
            answer = await method(*args, **named)
            await self._moments.pass_one()
            return answer

        return call


class WatchedStore:
    """An event store with such moments."""

    def __init__(self, inner: EventStore, moments: Moments) -> None:
        self._inner, self._moments = inner, moments

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        await self._moments.pass_one()
        appended = await self._inner.append(stream, events, expected_version)
        await self._moments.pass_one()
        return appended

    async def read(self, stream: str, **rest: Any) -> AsyncIterator[RecordedEvent]:
        await self._moments.pass_one()
        async for recorded in self._inner.read(stream, **rest):
            yield recorded


@dataclass
class Flow:
    """What one consumer group is handed, and what handles it."""

    events: EventFilter
    handle: Callable[[RecordedEvent], Awaitable[None]]


class World(Generic[O]):
    """A service, what it has outside, and an engine that may be killed and started again.

    ``saga``: the one that a test is about, at work from the start.
    """

    id = "o-1"
    """Of what a test is about, unless it says otherwise."""

    def __init__(
        self, service: Service[O], saga: Saga[Any], faults: Sequence[Fault], seed: int = 0
    ) -> None:
        self.service, self.saga_under_test = service, saga
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.store = memory.EventStore(service.catalogue, lambda: self.now)
        self.moments = Moments()
        self.faults = Faults(faults, seed=seed)
        self.outside = self.opened(self.faults)
        self._delivered = -1
        self._unsettled: list[tuple[int, RecordedEvent]] = []  # of which flow
        self.versions: Sequence[Saga[Any]] = (saga,)
        self.release: Callable[[Performer], Perform] = lambda performer: performer
        self.start()

    def opened(self, faults: Faults) -> O:
        """What is outside, struck by these faults."""
        raise NotImplementedError

    def watched_outside(self) -> O:
        """The same, with a moment before and after each call."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the process that does the work (again)."""
        self.watched = WatchedStore(self.store, self.moments)
        self.dispatch = CommandDispatch(
            self.watched, self.service.catalogue, pause=lambda _: asyncio.sleep(0)
        )
        self.flows: list[Flow] = []
        self.watchers: list[Deadlines] = []
        self.engine = self.running(self.versions)
        self._learnt = -1

    def running(self, versions: Sequence[Saga[Any]]) -> SagaEngine:
        """An engine of one saga, at work with its deadlines."""
        performer = Performer(self.dispatch, self.service.outside_calls(self.watched_outside()))
        engine = SagaEngine(
            versions,
            self.service.catalogue.own,
            self.watched,
            self.release(performer),
            now=lambda: self.now,
            chance=lambda: 0.5,
        )
        self.flows.append(Flow(engine.events, engine.handle))
        subscriptions = memory.Subscriptions(self.store)
        self.watchers.append(
            Deadlines(versions[0].name, self.watched, subscriptions, now=lambda: self.now)
        )
        return engine

    async def tell(
        self,
        id: str,
        command: Command,
        actor: str = "somebody",
        saga: Saga[Any] | None = None,
    ) -> None:
        """A command by a person; ``saga``: which one it is for, if it is for a saga."""
        context = Context.start(actor, uuid4(), self.now)
        for_saga = (saga or self.saga_under_test).category
        of = for_saga if isinstance(command, SagaCommand) else None
        await CommandDispatch(self.store, self.service.catalogue)(id, command, context, category=of)

    async def settle(self) -> None:
        """Let everything come to its end, however long that takes on this clock."""
        for _ in range(ROUNDS):
            await self.work()
            if await self.people_act():
                continue
            moments = [of for one in self.watchers for of in one.moments.values()]
            if not moments:
                return
            self.now = max(self.now, min(moments))
            for number in range(len(self.watchers)):  # which are others once one was killed
                await self._alive(self.watchers[number].wake)
        raise AssertionError(f"this never ends: {[one.moments for one in self.watchers]}")

    async def people_act(self) -> bool:
        """What people do when the service waits for them; whether they did anything."""
        return False

    async def work(self) -> None:
        """Hand out what is new until nothing is; what a killed process held is handed out again."""
        while self._unsettled or self._fetch():
            number, recorded = self._unsettled[0]
            if await self._alive(partial(self.flows[number].handle, recorded)):
                self._unsettled.pop(0)
        for recorded in self.store.after(self._learnt, 100_000):
            self._learnt = recorded.position
            for one in self.watchers:
                if recorded in one.events:
                    one.learn(recorded)

    def _fetch(self) -> bool:
        for recorded in self.store.after(self._delivered, 100_000):
            self._delivered = recorded.position
            self._unsettled += [
                (number, recorded)
                for number, flow in enumerate(self.flows)
                if recorded in flow.events
            ]
        return bool(self._unsettled)

    async def _alive(self, work: Callable[[], Any]) -> bool:
        try:
            await work()
        except Killed:
            self.start()
            return False
        return True

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    # ── what can be seen afterwards ──────────────────────────────────────────────────────────────

    def folded(self, stream: str) -> Any:
        """The state of one stream."""
        category = next(
            of for of in self.service.catalogue.categories if of.name == stream.partition("-")[0]
        )
        return category.decider.fold([recorded.event for recorded in self.recorded(stream)])

    def recorded(self, stream: str) -> Sequence[RecordedEvent]:
        return [of for of in self.store.after(-1, 100_000) if of.stream == stream]

    def saga(self, id: str | None = None) -> SagaState:
        """The state of one saga; without an id, of the one that the test is about."""
        state = self.folded(f"{self.saga_under_test.name}-{id or self.id}")
        assert isinstance(state, SagaState)
        return state

    def history(self, id: str | None = None, saga: str | None = None) -> Sequence[str]:
        """What happened to the saga: type and step of each event, begins left out."""
        return [
            f"{recorded.type.removeprefix('Step')} {getattr(recorded.event, 'step', '')}".strip()
            for recorded in self.recorded(f"{saga or self.saga_under_test.name}-{id or self.id}")
            if recorded.type not in ("StepBegun", "SagaStarted", "SagaWoken")
        ]
