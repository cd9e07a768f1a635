"""A return of goods, choreographed: received, refunded, restocked, each once, whatever fails."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch
from application.consuming import GroupConsumer
from application.messages import Context
from application.parking_stream import ParkingStream
from application.shop.reactions.goods_return import (
    GROUP,
    GoodsReturn,
    Refund,
    Restock,
    goods_return,
    reaction,
    saga_id,
)
from application.shop.sagas.payment_calls import authorisation_key
from application.shop.service import SHOP
from domain import orders, payments
from domain.decider import Command
from domain.orders import LinesReturned, OrderLine, ReturnedLine
from domain.payments import PaymentRefunded
from domain.values import Money
from infrastructure import memory
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.shop import memory as shop_memory
from tests.application.test_consuming import at_work, no_pause
from tests.histories import law
from tests.waiting import until_true

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POUND = Money.parse("1 GBP")


def line(sku: str, quantity: int, price: str = "1 GBP") -> OrderLine:
    return OrderLine(sku=sku, quantity=quantity, unit_price=Money.parse(price))


LINES = (line("A", 5), line("B", 3, "2 GBP"), line("A", 2), line("FREE", 1, "0 GBP"))


def returned(*lines: tuple[int, int], id: str = "r-1") -> LinesReturned:
    came_back = tuple(ReturnedLine(line=number, quantity=quantity) for number, quantity in lines)
    return LinesReturned(return_id=id, lines=came_back)


REFUNDED = PaymentRefunded(refund_id="r-1", amount=POUND)
PAID = payments.Payment(captured=Money.parse("13 GBP"))
UNPAID = payments.Payment()


@pytest.mark.parametrize(
    ("history", "event", "payment", "expected"),
    [
        ([returned((1, 2), (2, 1))], returned((1, 2), (2, 1)), PAID, Refund(POUND * 4)),
        ([returned((1, 2), (3, 1))], REFUNDED, PAID, Restock({"A": 3})),
        ([returned((4, 1))], returned((4, 1)), PAID, Restock({"FREE": 1})),
        ([returned((1, 1))], returned((1, 1)), UNPAID, Restock({"A": 1})),
        ([], REFUNDED, PAID, None),
        ([returned((1, 1), id="r-2")], REFUNDED, PAID, None),
    ],
    ids=["paid", "refunded", "free of charge", "never paid", "cancelled", "of another return"],
)
def test_what_follows_from_an_event(
    history: list[LinesReturned],
    event: LinesReturned | PaymentRefunded,
    payment: payments.Payment,
    expected: Refund | Restock | None,
) -> None:
    """What was paid is given back first; what cost nothing goes straight to the shelf."""
    order = orders.decider.fold([orders.OrderPlaced(lines=LINES), *history])
    assert reaction(event, order, payment) == expected


def test_history_is_closed() -> None:
    """Goods of an order from history came back long ago, and not to us."""
    placed = orders.OrderPlaced(lines=LINES, from_history=True)
    order = orders.decider.fold([placed, returned((1, 1))])
    assert reaction(returned((1, 1)), order, UNPAID) is None


class Shop:
    """A shop in memory, with a paid and shipped order ``o`` in it."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.store, self.provider = (
            memory.EventStore(SHOP.catalogue),
            shop_memory.PaymentProvider(self.faults),
        )
        self.groups = memory.ConsumerGroups(self.store)
        self.dispatch = CommandDispatch(self.store, SHOP.catalogue, no_pause)

    async def tell(self, id: str, command: Command) -> None:
        await self.dispatch(id, command, Context.start("a test", uuid4(), NOON))

    async def sold(self, id: str = "o") -> None:
        key, worth = authorisation_key(id), Money.parse("13 GBP")
        await self.provider.authorise(key, id, worth)
        await self.provider.capture(f"capture:{id}", key, worth)
        await self.tell(id, orders.PlaceOrder(lines=LINES))
        await self.tell(id, payments.AuthorisePayment(order_id=id, amount=worth))
        await self.tell(id, payments.CapturePayment(amount=worth))
        await self.tell(id, orders.ConfirmOrder())
        await self.tell(id, orders.ShipOrder(shipment_id=id))

    async def comes_back(self, *lines: tuple[int, int], id: str = "r-1", order: str = "o") -> None:
        came_back = returned(*lines, id=id)
        await self.tell(order, orders.ReturnLines(return_id=id, lines=came_back.lines))

    def consumer(self) -> GroupConsumer:
        reactions = GoodsReturn(self.store, self.dispatch, self.provider, lambda: NOON)
        store = ClaimCheck(self.store, None)
        return GroupConsumer(
            GROUP,
            goods_return.events,
            reactions.handle,
            self.groups,
            store,
            None,
            ParkingStream(store, GROUP),
            pause=no_pause,
        )

    def received(self) -> Counter[str]:
        units: Counter[str] = Counter()
        for recorded in self.store.after(-1, 10_000):
            if recorded.type == "StockReceived":
                units[recorded.stream] += getattr(recorded.event, "quantity", 0)
        return units

    def refunded(self, id: str = "o") -> Money:
        return self.provider.records[authorisation_key(id)].refunded

    def recorded_refunds(self) -> int:
        return sum(one.type == "PaymentRefunded" for one in self.store.after(-1, 10_000))

    async def done(self, units: dict[str, int]) -> bool:
        if self.received() != Counter(units):
            return False
        return (await self.groups.info(GROUP)).in_flight == 0


async def test_every_event_carries_the_id_of_the_return() -> None:
    """And each names the event before it as its cause, back to the return itself."""
    shop = Shop()
    await shop.sold()
    await shop.comes_back((1, 2), (2, 1))
    async with at_work(shop.consumer()):
        await until_true(lambda: shop.done({"stock-A": 2, "stock-B": 1}))

    log = list(shop.store.after(-1, 10_000))
    (back,) = (one for one in log if one.type == "LinesReturned")
    (refund,) = (one for one in log if one.type == "PaymentRefunded")
    restocked = [one for one in log if one.type == "StockReceived"]
    assert {one.metadata.saga_id for one in [refund, *restocked]} == {saga_id("o", "r-1")}
    assert refund.metadata.causation_id == str(back.id)
    assert {one.metadata.causation_id for one in restocked} == {str(refund.id)}
    assert {one.metadata.correlation_id for one in [refund, *restocked]} == {
        back.metadata.correlation_id
    }


async def test_returns_of_the_same_name_are_told_apart() -> None:
    """A return is named within its order: two orders may use the same id."""
    shop = Shop()
    for order in ("o", "p"):
        await shop.sold(order)
        await shop.comes_back((1, 2), order=order)
    async with at_work(shop.consumer()):
        await until_true(lambda: shop.done({"stock-A": 4}))

    assert (shop.refunded("o"), shop.refunded("p")) == (POUND * 2, POUND * 2)


async def test_what_the_provider_refuses_waits_for_a_person() -> None:
    """More is asked back than was taken: it is parked, and nothing is put back on the shelf."""
    shop = Shop()
    await shop.sold()
    await shop.provider.refund("by hand", authorisation_key("o"), Money.parse("12.50 GBP"))
    await shop.comes_back((1, 2))
    parking = ParkingStream(shop.store, GROUP)

    async def parked() -> bool:
        return [held.parked.stream for held in (await parking.look()).held.values()] == ["order-o"]

    async with at_work(shop.consumer()):
        await until_true(parked)
    assert shop.received() == Counter()


async def test_a_death_at_any_moment_repeats_nothing() -> None:
    """Killed at each await in turn, the next worker ends it: refunded once, restocked once."""
    for moment in range(120):
        shop = Shop()
        await shop.sold()
        await shop.comes_back((1, 2), (2, 1))
        async with at_work(shop.consumer()):
            for _ in range(moment):
                await asyncio.sleep(0)
        async with at_work(shop.consumer()):
            await until_true(lambda shop=shop: shop.done({"stock-A": 2, "stock-B": 1}))  # type: ignore[misc]  # bound now

        assert (shop.refunded(), shop.recorded_refunds()) == (POUND * 4, 1)


KINDS = st.sampled_from(["unavailable", "drop", "twice"])


@law(40)
@given(
    faults=st.lists(st.builds(Fault, kind=KINDS, times=st.integers(1, 4)), max_size=3),
    deaths=st.lists(st.integers(1, 80), max_size=5),
)
async def test_each_return_is_refunded_once_and_restocked_once(
    faults: list[Fault], deaths: list[int]
) -> None:
    """Whatever the provider does, and whichever process dies: the records add up in the end."""
    shop = Shop()
    await shop.sold()
    shop.faults.set(faults)
    await shop.comes_back((1, 2), (3, 1), id="r-1")
    await shop.comes_back((1, 1), (2, 1), (4, 1), id="r-2")
    await shop.comes_back((2, 1), id="r-3")
    for steps in deaths:
        async with at_work(shop.consumer(), shop.consumer()):
            for _ in range(steps):
                await asyncio.sleep(0)
    async with at_work(shop.consumer()):
        await until_true(lambda: shop.done({"stock-A": 4, "stock-B": 2, "stock-FREE": 1}))

    assert (shop.refunded(), shop.recorded_refunds()) == (POUND * 8, 3)
    assert not (await ParkingStream(shop.store, GROUP).look()).held
