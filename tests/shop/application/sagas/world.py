"""A shop in memory with a clock of its own: nothing waits, time passes when it is told to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.event_filter import EventFilter
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import Appended, EventStore
from application.sagas.deadlines import Deadlines
from application.sagas.engine import Perform, SagaEngine
from application.sagas.operating import SagaCommand
from application.sagas.performing import Performer
from application.sagas.saga import Saga
from application.sagas.state import SagaState, Status
from application.shop.ports import Outside
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.sagas.outside_calls import outside_calls
from application.shop.service import SHOP
from domain.decider import Command
from domain.orders import PlaceOrder
from domain.stock import ReceiveStock
from infrastructure import memory
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.shop import memory as shop_memory

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


class World:
    """A shop, its providers, and an engine that may be killed and started again."""

    def __init__(self, *faults: Fault, seed: int = 0) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.store = memory.EventStore(SHOP.catalogue, lambda: self.now)
        self.moments = Moments()
        self.faults = Faults(faults, seed=seed)
        self.payment_provider = shop_memory.PaymentProvider(
            self.faults, patience=PATIENCE, sleep=self._sleep
        )
        self.carrier = shop_memory.Carrier(self.faults, patience=PATIENCE, sleep=self._sleep)
        self._delivered = -1
        self._unsettled: list[tuple[int, RecordedEvent]] = []  # of which flow
        self.versions: Sequence[Saga[Any]] = (order_fulfilment,)
        self.release: Callable[[Performer], Perform] = lambda performer: performer
        self.start()

    def start(self) -> None:
        """Start the process that does the work (again)."""
        self.watched = WatchedStore(self.store, self.moments)
        self.dispatch = CommandDispatch(
            self.watched, SHOP.catalogue, pause=lambda _: asyncio.sleep(0)
        )
        self.flows: list[Flow] = []
        self.watchers: list[Deadlines] = []
        self.engine = self.running(self.versions)
        self._learnt = -1

    def running(self, versions: Sequence[Saga[Any]]) -> SagaEngine:
        """An engine of one saga, at work with its deadlines."""
        engine = SagaEngine(
            versions,
            SHOP.catalogue.own,
            self.watched,
            self.release(Performer(self.dispatch, outside_calls(self.watched_outside()))),
            now=lambda: self.now,
            chance=lambda: 0.5,
        )
        self.flows.append(Flow(engine.events, engine.handle))
        subscriptions = memory.Subscriptions(self.store)
        self.watchers.append(
            Deadlines(versions[0].name, self.watched, subscriptions, now=lambda: self.now)
        )
        return engine

    def watched_outside(self) -> Outside:
        """The providers, with a moment before and after each call."""
        audit = shop_memory.Audit(self.payment_provider, self.carrier)
        payment_provider = Watched(self.payment_provider, self.moments)
        return Outside(payment_provider, Watched(self.carrier, self.moments), audit)

    async def tell(
        self,
        id: str,
        command: Command,
        actor: str = "a customer",
        saga: Saga[Any] = order_fulfilment,
    ) -> None:
        """A command by a person; ``saga``: which one it is for, if it is for a saga."""
        context = Context.start(actor, uuid4(), self.now)
        of = saga.category if isinstance(command, SagaCommand) else None
        await CommandDispatch(self.store, SHOP.catalogue)(id, command, context, category=of)

    async def receive(self, **units: int) -> None:
        for sku, quantity in units.items():
            await self.tell(sku, ReceiveStock(receipt_id=f"r{self.now:%f}", quantity=quantity))

    async def place(self, order_id: str = "o-1", price: str = "2.5 GBP", **units: int) -> None:
        lines = [
            {"sku": sku, "quantity": quantity, "unit_price": price}
            for sku, quantity in units.items()
        ]
        await self.tell(order_id, PlaceOrder.model_validate({"lines": lines}))

    async def settle(self) -> None:
        """Let everything come to its end, however long that takes on this clock."""
        for _ in range(ROUNDS):
            await self._work()
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

    async def _work(self) -> None:
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

    async def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    # ── what can be seen afterwards ──────────────────────────────────────────────────────────────

    def folded(self, stream: str) -> Any:
        """The state of one stream."""
        category = next(
            of for of in SHOP.catalogue.categories if of.name == stream.partition("-")[0]
        )
        return category.decider.fold([recorded.event for recorded in self.recorded(stream)])

    def recorded(self, stream: str) -> Sequence[RecordedEvent]:
        return [of for of in self.store.after(-1, 100_000) if of.stream == stream]

    def saga(self, id: str = "o-1") -> SagaState:
        state = self.folded(f"order_fulfilment-{id}")
        assert isinstance(state, SagaState)
        return state

    def history(self, id: str = "o-1", saga: str = "order_fulfilment") -> Sequence[str]:
        """What happened to the saga: type and step of each event, begins left out."""
        return [
            f"{recorded.type.removeprefix('Step')} {getattr(recorded.event, 'step', '')}".strip()
            for recorded in self.recorded(f"{saga}-{id}")
            if recorded.type not in ("StepBegun", "SagaStarted", "SagaWoken")
        ]

    def adds_up(self) -> None:
        """Whatever happened: nothing is left over, here or at the providers, and nothing twice."""
        placed = [of for of in self.store.after(-1, 100_000) if of.type == "OrderPlaced"]
        for recorded in placed:
            id = recorded.stream_id
            match self.saga(id).status:
                case Status.COMPLETED:
                    self._is_kept(id)
                case Status.COMPENSATED:
                    self._is_gone(id)
                case other:
                    raise AssertionError(f"{id} is {other}: {self.saga(id).reason}")
            self._agrees(id)

    def _is_kept(self, id: str) -> None:
        order = self.folded(f"order-{id}")
        assert order.status == "confirmed"
        worth = sum(line.unit_price.amount * line.quantity for line in order.placed.lines)
        paid = [p for p in self.payment_provider.records.values() if p.order_id == id]
        assert [p.captured.amount for p in paid] == [worth] * (worth > 0)
        assert not any(p.refunded.amount for p in paid)
        alive = [b for b in self.carrier.records.values() if b.order_id == id]
        assert [b.cancelled for b in alive] == [False]
        for sku, quantity in _units(order).items():
            assert self.folded(f"stock-{sku}").reserved[id] == quantity

    def _is_gone(self, id: str) -> None:
        order = self.folded(f"order-{id}")
        assert order.status == "cancelled"
        for payment in self.payment_provider.records.values():
            assert payment.held.amount == 0
            assert payment.order_id != id or payment.captured == payment.refunded
        for booking in self.carrier.records.values():
            assert booking.order_id != id or booking.cancelled
        for sku in _units(order):
            assert id not in self.folded(f"stock-{sku}").reserved

    def _agrees(self, id: str) -> None:
        """What we recorded is what the providers have in their books."""
        ours = self.folded(f"payment-{id}")
        theirs = self.payment_provider.records.get(f"authorise:{id}")
        assert (ours.status not in (None, "declined")) == (theirs is not None)
        if theirs is not None:
            assert (ours.status == "voided") == theirs.voided
            assert (ours.captured.amount if ours.captured else 0) == theirs.captured.amount
            assert sum(of.amount for of in ours.refunds.values()) == theirs.refunded.amount
        booked, parcel = (
            self.folded(f"shipment-{id}"),
            self.carrier.records.get(f"book:{id}"),
        )
        assert (booked.status is not None) == (parcel is not None)
        if parcel is not None:
            assert (booked.status == "cancelled") == parcel.cancelled


def _units(order: Any) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in order.placed.lines:
        units[line.sku] += line.quantity
    return units
