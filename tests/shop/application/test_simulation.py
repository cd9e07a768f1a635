"""A simulation: what its customers want, what is on the shelf, and how it all comes to an end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.messages import RecordedEvent
from application.sagas.events import (
    CompensationOrdered,
    SagaCompensated,
    SagaCompleted,
    SagaFailed,
)
from application.shop.reactions.shipping import Shipping
from application.shop.sagas.carrier_calls import booking_key
from application.shop.simulation import (
    Back,
    Customers,
    Floor,
    Place,
    Request,
    Staff,
    opening_stock,
    traffic,
)
from application.shop.simulation.floor import EVENTS as FLOOR_EVENTS
from application.shop.warehouse import Warehouse
from domain.exchanges import ApproveExchange, GoodsBack, Replacement, RequestExchange
from domain.orders import CancelOrder, OrderLine, PlaceOrder, ReturnedLine, ReturnLines
from domain.shipments import BookShipment
from domain.values import Money
from infrastructure.shop.online_retail import SAMPLE, History
from tests.histories import LAW
from tests.shop.application.audited import AuditedShop
from tests.shop.application.histories import history, row
from tests.waiting import until_true

THEN = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
PRICE = Money.parse("2.5 GBP")

# ── traffic ──────────────────────────────────────────────────────────────────────────────────────


def test_traffic_is_live() -> None:
    """An order of the history is placed anew, at its time: nobody has fulfilled it."""
    (wish,) = traffic(history(row(quantity=6)))

    assert isinstance(wish, Place)
    assert (wish.order_id, wish.moment) == ("536365", THEN)
    assert not wish.command.from_history


@pytest.mark.parametrize(("quantity", "whole"), [(-6, True), (-5, False)])
def test_a_return_is_matched_as_by_the_import(quantity: int, whole: bool) -> None:
    """It belongs to the customer's order with so many left, and may cover all of it."""
    _, back = traffic(history(row(quantity=6), row("C536379", quantity=quantity)))

    assert isinstance(back, Back)
    assert (back.order_id, back.whole) == ("536365", whole)


def test_no_more_orders_come_than_were_asked_for() -> None:
    """Those that come bring all their returns, however late, and the returns of others do not."""
    rows = [row("1", customer="a"), row("2", customer="b")]
    returns = [row("C3", quantity=-1, customer="b"), row("C4", quantity=-1, customer="a")]
    wishes = list(traffic(history(*rows, *returns), orders=1))

    assert [wish.order_id for wish in wishes] == ["1", "1"]


def test_some_want_goods_and_not_their_money() -> None:
    """The same goods for those that go back, a little dearer or cheaper; always the same ones."""
    rows = [row(quantity=6, price="2.50"), row("C536379", quantity=-5)]
    (_, none), (_, all) = (list(traffic(history(*rows), exchanges=of)) for of in (0.0, 1.0))

    assert isinstance(none, Back)
    assert none.exchange is None
    assert isinstance(all, Back)
    assert all.exchange is not None
    (back,), (other,) = all.exchange.back, all.exchange.replacements
    assert (back.line, back.quantity, other.quantity) == (1, 5, 5)
    assert back.sku == other.sku
    assert abs((other.unit_price - back.unit_price).amount) <= Decimal("0.10")


# ── stock ────────────────────────────────────────────────────────────────────────────────────────


def place(id: str, units: Mapping[str, int]) -> Place:
    lines = tuple(
        OrderLine(sku=sku, quantity=quantity, unit_price=PRICE) for sku, quantity in units.items()
    )
    return Place(id, THEN, PlaceOrder(lines=lines))


def _back(order_id: str, quantity: int) -> Back:
    lines = (ReturnedLine(line=1, quantity=quantity),)
    command = ReturnLines(return_id="C1", lines=lines)
    return Back(order_id, THEN + timedelta(hours=1), command, whole=False)


ORDERS = st.lists(
    st.dictionaries(st.sampled_from("uvwxyz"), st.integers(1, 9), min_size=1, max_size=3),
    max_size=12,
).map(lambda all: [place(str(number), units) for number, units in enumerate(all)])


@LAW
@given(places=ORDERS, shortage=st.floats(0, 1), seed=st.integers(0, 5), arrival=st.integers())
def test_who_finds_no_stock_does_not_depend_on_who_comes_first(
    places: list[Place], shortage: float, seed: int, arrival: int
) -> None:
    """In whatever order they come, exactly the chosen ones find too little."""
    stocking = opening_stock(places, shortage, seed)
    left, refused = Counter(stocking.units), set[str]()
    for one in Random(arrival).sample(places, len(places)):
        wanted = Counter[str]()
        for line in one.command.lines:
            wanted[line.sku] += line.quantity
        if wanted <= left:
            left -= wanted
        else:
            refused.add(one.order_id)

    assert refused == stocking.short
    assert len(refused) <= round(len(places) * shortage)


def test_exchanges_take_nothing_of_what_orders_want() -> None:
    """What goes out for goods that come back is on the shelf besides; but not of scarce goods."""
    places = [place("1", {"u": 4}), place("2", {"u": 1, "v": 2})]
    wanted = RequestExchange(
        order_id="2",
        back=(GoodsBack(line=2, sku="v", quantity=2, unit_price=PRICE),),
        replacements=(Replacement(sku="v", quantity=2, unit_price=PRICE),),
    )
    back = replace(_back("2", 2), exchange=wanted)

    assert opening_stock([*places, back], 0, seed=0).units == {"u": 5, "v": 4}
    assert opening_stock([*places, back], 1, seed=0).scarce == {"u", "v"}
    assert opening_stock([*places, back], 1, seed=0).units["v"] == 0


def test_two_of_a_hundred_orders_of_a_real_history_find_no_stock() -> None:
    """In the sample there are enough orders that can be left short without harm to others."""
    places = [wish for wish in traffic(History(SAMPLE)) if isinstance(wish, Place)]
    stocking = opening_stock(places, 0.02, seed=0)

    assert len(stocking.short) == round(len(places) * 0.02) > 0
    assert opening_stock(places, 0.02, seed=0) == stocking
    assert opening_stock(places, 0.02, seed=1).short != stocking.short


# ── people ───────────────────────────────────────────────────────────────────────────────────────


class Shop(AuditedShop):
    """With customers and a warehouse. What the saga does is done by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = Floor()
        self.slept: list[float] = []

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        watching = asyncio.create_task(self.floor.watch(self.subscriptions, self.payloads))
        yield
        watching.cancel()
        await asyncio.wait([watching])

    def customers(self, speed: float | None = None) -> Customers:
        return Customers(self.dispatch, self.floor, lambda: THEN, speed=speed, sleep=self._sleep)

    async def fulfil(self) -> None:
        await self.fulfilled()
        (confirmed,) = await self.happened("order-1", "OrderConfirmed")
        warehouse = Staff(Warehouse(self.dispatch, self.carrier), lambda: THEN)
        shipping = Shipping(self.store, self.dispatch, lambda: THEN)
        for _ in range(2):  # delivered twice, it acts once
            await warehouse.handle(confirmed)
            for what in (
                *await self.happened("order-1", "OrderShipped"),
                *await self.happened("shipment-1", "ShipmentDelivered"),
            ):
                await shipping.handle(what)

    async def happened(self, stream: str, type: str) -> list[RecordedEvent]:
        return [recorded async for recorded in self.store.read(stream) if recorded.type == type]

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def shop() -> Shop:
    shop = Shop()
    await shop.opened()
    return shop


ORDER = place("1", {"mug": 4})


def back(quantity: int, *, whole: bool) -> Back:
    return replace(_back("1", quantity), whole=whole)


async def test_a_delivered_order_comes_back(shop: Shop) -> None:
    """A customer who sends back a part waits until it is there; then the goods are awaited."""
    async with shop.watched():
        wishes: list[Request] = [ORDER, back(1, whole=False)]
        coming = asyncio.create_task(shop.customers().come(wishes, asyncio.Event()))
        await shop.floor.until("1", lambda order: order.status == "placed")
        await shop.fulfil()
        await coming
        await shop.floor.until("1", lambda _: shop.floor.tally.returns == 1)

    assert [one.what for one in (await shop.verdict()).under_way] == [
        "a return has not been restocked",
        "a return has not been refunded",
    ]
    assert not shop.floor.is_settled
    assert shop.floor.tally.delivered == 1


async def test_goods_of_a_delivered_order_are_exchanged(shop: Shop) -> None:
    """The customer asks, posts the goods, and waits; the warehouse sends what is approved once."""
    wanted = RequestExchange(
        order_id="1",
        back=(GoodsBack(line=1, sku="mug", quantity=1, unit_price=PRICE),),
        replacements=(Replacement(sku="mug", quantity=1, unit_price=PRICE),),
    )
    async with shop.watched():
        wishes: list[Request] = [ORDER, replace(back(1, whole=False), exchange=wanted)]
        coming = asyncio.create_task(shop.customers().come(wishes, asyncio.Event()))
        await shop.floor.until("1", lambda order: order.status == "placed")
        await shop.fulfil()
        await until_true(partial(_received, shop))
        assert not shop.floor.is_settled
        await shop.carrier.book(booking_key("1-C1"), "1", None)
        await shop.tell("1-C1", BookShipment(order_id="1", carrier="the carrier"))
        await shop.tell("1-C1", ApproveExchange())
        (approved,) = await shop.happened("exchange-1-C1", "ExchangeApproved")
        for _ in range(2):
            await Staff(Warehouse(shop.dispatch, shop.carrier), lambda: THEN).handle(approved)
        await shop.write("goods_exchange-1-C1", SagaCompleted())
        await coming

    assert shop.floor.tally.exchanges == 1
    assert len(await shop.happened("shipment-1-C1", "ShipmentDelivered")) == 1
    assert len(await shop.happened("exchange-1-C1", "ReplacementSent")) == 1


async def _received(shop: Shop) -> bool:
    return bool(await shop.happened("exchange-1-C1", "GoodsReceived"))


async def test_an_order_that_has_not_left_is_cancelled(shop: Shop) -> None:
    """A customer who wants none of it need not wait for it."""
    async with shop.watched():
        wishes: list[Request] = [ORDER, back(4, whole=True)]
        coming = asyncio.create_task(shop.customers().come(wishes, asyncio.Event()))
        await shop.floor.until("1", lambda order: order.status == "cancelled")
        assert not shop.floor.is_settled
        await shop.compensated()
        await coming
        await shop.floor.until_settled()

    assert shop.floor.tally.compensated == 1
    assert (await shop.verdict()).adds_up


async def test_customers_come_at_their_time(shop: Shop) -> None:
    """At a speed of 60 an hour later is a minute later."""
    later = Place("2", THEN + timedelta(hours=1), ORDER.command)
    async with shop.watched():
        coming = asyncio.create_task(shop.customers(60).come([ORDER, later], asyncio.Event()))
        await shop.floor.until("2", lambda order: order.status == "placed")
        await shop.compensated("1")
        await shop.compensated("2")
        await coming

    assert shop.slept == [0, 60]


async def test_a_closed_shop_lets_nobody_in(shop: Shop) -> None:
    """Who comes after that has come in vain."""
    closed = asyncio.Event()
    closed.set()
    await shop.customers().come([ORDER], closed)

    assert [event async for event in shop.store.read("order-1")] == []


async def test_a_failed_saga_of_a_cancelled_order_is_still_to_be_undone(shop: Shop) -> None:
    """A customer who cancels too late for one step has it all undone; a person is not needed."""
    await shop.placed()
    await shop.tell("1", CancelOrder(reason="no longer wanted"))
    failed = SagaFailed(step="confirm order", reason="AlreadyCancelled")
    ordered = CompensationOrdered(by="a customer", reason="no longer wanted")
    settled = []
    for event in (failed, ordered, SagaCompensated()):
        await shop.write("order_fulfilment-1", event)
        floor = Floor()
        for recorded in shop.store.after(-1, 100):
            if recorded in FLOOR_EVENTS:
                floor.see(recorded)
        settled.append(floor.is_settled)

    assert settled == [False, False, True]
