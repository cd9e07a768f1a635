"""A shop with both of its sagas: orders that were delivered, and exchanges of their goods."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.consuming import Handle
from application.messages import Context, RecordedEvent
from application.reactions import Tools
from application.retrying import PASSING
from application.sagas.state import SagaState
from application.shop.auditing import audit
from application.shop.exchanges import request_exchange
from application.shop.reactions.goods_return import goods_return
from application.shop.reactions.shipping import shipping
from application.shop.sagas.carrier_calls import booking_key
from application.shop.sagas.goods_exchange import goods_exchange
from application.shop.service import SHOP
from domain.exchanges import ExchangeStatus, ReceiveGoods, Replacement, SendReplacement
from domain.orders import ReturnedLine, ShipOrder
from domain.shipments import DeliverShipment, HandOverShipment
from domain.values import Money
from infrastructure import memory
from infrastructure.providers.simulated import Fault
from infrastructure.shop import memory as shop_memory
from tests.application.sagas.world import Flow
from tests.shop.application.sagas.world import World

EXCHANGE = "e-1"


class ExchangeWorld(World):
    """People send goods as soon as they can, unless ``goods_come`` or ``it_is_sent`` is false."""

    def __init__(self, *faults: Fault, seed: int = 0) -> None:
        self.goods_come = self.it_is_sent = True
        super().__init__(*faults, seed=seed)

    def start(self) -> None:
        super().start()
        self.exchanging = self.running([goods_exchange])
        tools = Tools(self.watched, self.dispatch, lambda: self.now, self.watched_outside())
        self.flows += [
            Flow(one.events, partial(self._patiently, one.handler(tools)))
            for one in (goods_return, shipping)
        ]

    async def _patiently(self, handle: Handle, recorded: RecordedEvent) -> None:
        """As a consumer group does: what passes is sat out."""
        for _ in range(1000):
            try:
                return await handle(recorded)
            except PASSING:
                self.now += timedelta(seconds=1)
        raise AssertionError(f"this never passes: {recorded}")

    async def deliver(self, id: str = "o-1") -> None:
        """An order that has been confirmed has arrived."""
        await self.settle()
        await self.tell(id, ShipOrder(shipment_id=id))
        code = self.carrier.records[booking_key(id)].tracking_code
        await self.tell(id, HandOverShipment(tracking_code=code))
        await self.tell(id, DeliverShipment())
        await self.settle()
        assert self.folded(f"order-{id}").status == "delivered"

    async def exchange(
        self, price: str = "2.5 GBP", *, sku: str = "b", quantity: int = 1, id: str = EXCHANGE
    ) -> None:
        """One piece of the first line goes back, and others come for it."""
        replacement = Replacement(sku=sku, quantity=quantity, unit_price=Money.parse(price))
        await request_exchange(
            self.store,
            CommandDispatch(self.store, SHOP.catalogue),
            order_id="o-1",
            exchange_id=id,
            lines=(ReturnedLine(line=1, quantity=1),),
            replacements=(replacement,),
            context=Context.start("a customer", uuid4(), self.now),
        )

    async def engines_settle(self) -> None:
        """Hand out what there is; no time passes, and no person acts."""
        await self.work()

    def moments_to_come(self) -> Sequence[datetime]:
        """When sagas have to be looked at."""
        return [of for one in self.watchers for of in one.moments.values()]

    async def wait_out(self) -> None:
        """Let so much time pass that no saga waits any longer, and wake them."""
        self.now += timedelta(days=15)
        for one in self.watchers:
            await one.wake()

    async def people_act(self) -> bool:
        """Customers post their goods, the warehouse sends what is approved."""
        acted = False
        for id in self.exchange_ids:
            status = self.folded(f"exchange-{id}").status
            if status is ExchangeStatus.REQUESTED and self.goods_come and self.saga_of(id).waiting:
                await self.tell(id, ReceiveGoods(), "the warehouse")
                acted = True
            if status is ExchangeStatus.APPROVED and self.it_is_sent:
                await self.tell(id, SendReplacement(), "the warehouse")
                acted = True
        return acted

    @property
    def exchange_ids(self) -> Sequence[str]:
        every = self.store.after(-1, 100_000)
        return [of.stream_id for of in every if of.type == "ExchangeRequested"]

    def saga_of(self, id: str = EXCHANGE) -> SagaState:
        state: Any = self.folded(f"goods_exchange-{id}")
        assert isinstance(state, SagaState)
        return state

    def steps(self, id: str = EXCHANGE) -> Sequence[str]:
        return self.history(id, "goods_exchange")

    async def audited(self) -> None:
        """Every unit, penny and parcel is where it belongs, and nothing is under way."""
        books = shop_memory.Audit(self.payment_provider, self.carrier)
        verdict = await audit(memory.Subscriptions(self.store), None, books)
        assert (verdict.findings, verdict.under_way) == ((), ())


E = TypeVar("E", bound=ExchangeWorld)


async def delivered(*faults: Fault, seed: int = 0, price: str = "2.5 GBP") -> ExchangeWorld:
    """An order of two pieces that has arrived, and a shelf with three more."""
    return await delivered_in(ExchangeWorld(seed=seed), *faults, seed=seed, price=price)


async def delivered_in(world: E, *faults: Fault, seed: int = 0, price: str = "2.5 GBP") -> E:
    """The same, in this world."""
    await world.receive(a=3, b=3)
    await world.place("o-1", price, a=2)
    await world.deliver()
    world.faults.set(faults, seed=seed)
    return world
