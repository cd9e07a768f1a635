"""A small saga that acts, waits and checks, in memory and by a clock that is set by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.sagas.actions import Action, Dispatch
from application.sagas.deadlines import Deadlines
from application.sagas.engine import SagaEngine
from application.sagas.outcomes import Outcome, Succeeded
from application.sagas.saga import Check, Facts, Saga, Step, Wait, within
from application.sagas.state import SagaState
from application.sagas.stream import SagaStream
from application.shop.service import SHOP
from domain import orders
from domain.decider import Command, DomainError
from domain.values import Money
from infrastructure import memory

NAME = "order_fulfilment"  # a category whose events every store here can read
DAY = timedelta(days=1)


class Ask(Command):
    """What a step asks for."""

    what: str


class Order(Facts):
    id: str


class NotDelivered(DomainError):
    """The order has not arrived."""


def asks(*whats: str) -> Callable[..., Sequence[Action]]:
    """What acts by these commands, or undoes by them."""
    return lambda *_: [Dispatch(what, Ask(what=what)) for what in whats]


def started_by(recorded: RecordedEvent) -> Order | None:
    return Order(id=recorded.stream_id)


def delivered(order: orders.Order) -> None:
    if order.status is not orders.Status.DELIVERED:
        raise NotDelivered(f"it is {order.status}")


def is_delivered(order: Order) -> Sequence[Check]:
    return [Check(f"order-{order.id}", orders.decider, delivered)]


OPEN = Step[Order]("open", asks("open"), asks("close"))
SHIPPED = Step[Order](
    "await shipping", undo=asks("call back"), waits=Wait(within(3 * DAY), orders.OrderShipped)
)
PAUSE = Step[Order]("pause", waits=Wait(within(DAY)))
CHECK = Step[Order]("check", checks=is_delivered)
GO = Step[Order]("go", asks("go"), asks("come back"))


def saga(*steps: Step[Order], no_return: str | None = None) -> Saga[Order]:
    """A saga about an order; its last step is the point of no return unless another is named."""
    return Saga(
        name=NAME,
        version=1,
        facts=Order,
        steps=steps,
        no_return=no_return or steps[-1].name,
        started_by=started_by,
        starts=orders.OrderPlaced,
        cancels=orders.OrderCancelled,
    )


@dataclass
class Small:
    """One order, and one saga about it."""

    definition: Saga[Order]
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    performed: list[Sequence[str]] = field(default_factory=list)  # by call of the performer
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # of what is not to succeed
    ages: list[timedelta] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = memory.EventStore(SHOP.catalogue, lambda: self.now)
        self.engine = SagaEngine(
            [self.definition],
            SHOP.catalogue.own,
            self.store,
            self._perform,
            now=lambda: self.now,
            chance=lambda: 0.5,
            observe=lambda *heard: self.ages.append(heard[-1]),
        )
        subscriptions = memory.Subscriptions(self.store)
        self.deadlines = Deadlines(NAME, self.store, subscriptions, now=lambda: self.now)
        self._learnt = self._handled = -1

    async def _perform(self, actions: Sequence[Action], _: Context) -> Outcome:
        asked = [action.id for action in actions if isinstance(action, Dispatch)]
        self.performed.append(asked)
        refused = (self.outcomes[one] for one in asked if one in self.outcomes)
        return next(refused, Succeeded())

    async def dispatch(self, *commands: Command, id: str = "1") -> None:
        for command in commands:
            context = Context.start("a test", uuid4(), self.now)
            await CommandDispatch(self.store, SHOP.catalogue)(id, command, context)

    async def place(self) -> None:
        line = orders.OrderLine(sku="a", quantity=1, unit_price=Money.parse("1 GBP"))
        await self.dispatch(orders.PlaceOrder(lines=(line,)))

    async def ship(self) -> None:
        await self.dispatch(orders.ConfirmOrder(), orders.ShipOrder(shipment_id="s"))

    async def run(self, days: float = 0) -> None:
        """Let so much time pass, and hand out what is new; every event is handed out twice."""
        self.now += days * DAY
        for recorded in self.store.after(self._learnt, 1000):
            self._learnt = recorded.position
            if recorded in self.deadlines.events:
                self.deadlines.learn(recorded)
        await self.deadlines.wake()
        while events := self.store.after(self._handled, 1000):
            self._handled = events[-1].position
            for recorded in [*events, *events]:
                if recorded in self.engine.events:
                    await self.engine.handle(recorded)

    async def state(self) -> SagaState:
        return (await SagaStream(self.store, NAME, "1").read()).state

    def history(self) -> Sequence[str]:
        """The saga's events, by type and step."""
        return [_short(event) for event in self.recorded(f"{NAME}-1")]

    def recorded(self, stream: str) -> Sequence[RecordedEvent]:
        return [of for of in self.store.after(-1, 1000) if of.stream == stream]


def _short(recorded: RecordedEvent) -> str:
    event: Any = recorded.event
    return f"{recorded.type} {getattr(event, 'step', '')}".strip()
