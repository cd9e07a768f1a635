"""The rules of an order, one sentence each."""

import pytest
from pydantic import ValidationError

from domain import orders
from domain.orders import (
    AlreadyCancelled,
    AlreadyShipped,
    CancelOrder,
    CannotBePaid,
    ClaimLines,
    ConfirmOrder,
    DeliverOrder,
    FreeLines,
    FulfilledElsewhere,
    LinesAlreadyClaimed,
    LinesClaimed,
    LinesFreed,
    LinesReturned,
    MixedCurrencies,
    MoreThanOrdered,
    NegativePrice,
    NoSuchCurrency,
    NoSuchLine,
    NotConfirmed,
    NotShipped,
    OrderAlreadyPlaced,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderLine,
    OrderPlaced,
    OrderShipped,
    PlaceOrder,
    RecipientNamed,
    ReturnAlreadyRecorded,
    ReturnedLine,
    ReturnLines,
    ShipOrder,
    UnknownOrder,
    WorthTooMuch,
)
from domain.values import Money
from tests.specification import Specification

order = Specification(orders.decider)

HEART = OrderLine(sku="85123A", quantity=6, unit_price=Money.parse("2.55 GBP"))
LANTERN = OrderLine(sku="71053", quantity=2, unit_price=Money.parse("3.39 GBP"))

PLACED = OrderPlaced(customer_id="17850", country="United Kingdom", lines=(HEART, LANTERN))
PLACED_IN_HISTORY = OrderPlaced(lines=(HEART, LANTERN), from_history=True)
SHIPPED = OrderShipped(shipment_id="s-1")

new = order.given()
placed = order.given(PLACED)
confirmed = order.given(PLACED, OrderConfirmed())
shipped = order.given(PLACED, OrderConfirmed(), SHIPPED)
delivered = order.given(PLACED, OrderConfirmed(), SHIPPED, OrderDelivered())
cancelled = order.given(PLACED, OrderCancelled(reason="changed my mind"))


def back(line: int, quantity: int, return_id: str = "r-1") -> ReturnLines:
    return ReturnLines(return_id=return_id, lines=(ReturnedLine(line=line, quantity=quantity),))


def came_back(line: int, quantity: int, return_id: str = "r-1") -> LinesReturned:
    return LinesReturned(return_id=return_id, lines=(ReturnedLine(line=line, quantity=quantity),))


def priced(*prices: str) -> PlaceOrder:
    lines = tuple(OrderLine(sku="X", quantity=1, unit_price=Money.parse(price)) for price in prices)
    return PlaceOrder(lines=lines)


# ── placing ──────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_placed_with_its_lines_as_they_stand() -> None:
    """Placing records customer, country and lines, in the order in which they were given."""
    new.when(
        PlaceOrder(customer_id="17850", country="United Kingdom", lines=(HEART, LANTERN))
    ).then(PLACED)


def test_who_gets_the_parcel_is_an_event_of_its_own() -> None:
    """It holds all that is personal in an order, and says whom that is about."""
    new.when(
        PlaceOrder(customer_id="17850", lines=(HEART,), recipient="Ada Lovelace", address="London")
    ).then(
        OrderPlaced(customer_id="17850", lines=(HEART,)),
        RecipientNamed(customer_id="17850", recipient="Ada Lovelace", address="London"),
    )


def test_another_recipient_makes_another_order() -> None:
    """The same order again changes nothing; to somebody else it is refused."""
    sent = order.given(OrderPlaced(lines=(HEART,)), RecipientNamed(recipient="Ada Lovelace"))
    sent.when(PlaceOrder(lines=(HEART,), recipient="Ada Lovelace")).then_nothing()
    sent.when(PlaceOrder(lines=(HEART,), recipient="Charles Babbage")).then_refused(
        OrderAlreadyPlaced
    )


def test_a_guest_may_order() -> None:
    """An order needs no customer."""
    new.when(PlaceOrder(lines=(HEART,))).then(OrderPlaced(lines=(HEART,)))


def test_a_stock_code_may_stand_in_several_lines() -> None:
    """Lines are told apart by their number, not by their stock code."""
    new.when(PlaceOrder(lines=(HEART, HEART))).then(OrderPlaced(lines=(HEART, HEART)))


def test_goods_may_be_free() -> None:
    """A price of zero is a price."""
    new.when(priced("0 GBP")).then(OrderPlaced(lines=priced("0 GBP").lines))


def test_placing_again_is_recognised_whatever_has_happened_since() -> None:
    """The same order placed again, even after it was delivered, changes nothing."""
    delivered.when(PlaceOrder(**dict(PLACED))).then_nothing()


def test_an_id_stands_for_one_order() -> None:
    """Another order under the same id is refused."""
    placed.when(PlaceOrder(lines=(HEART,))).then_refused(OrderAlreadyPlaced)


def test_an_order_is_in_one_currency() -> None:
    """Lines in two currencies are refused."""
    new.when(priced("1 GBP", "1 EUR")).then_refused(MixedCurrencies)


def test_a_price_is_never_negative() -> None:
    """A line that would pay the customer is refused."""
    new.when(priced("2 GBP", "-0.001 GBP")).then_refused(NegativePrice)


def test_the_largest_order_is_worth_a_million_million() -> None:
    """What an order is worth can always be added up; one more penny is refused."""
    new.when(priced("999999999999.99 GBP", "0.01 GBP")).then(
        OrderPlaced(lines=priced("999999999999.99 GBP", "0.01 GBP").lines)
    )
    new.when(priced("999999999999.99 GBP", "0.02 GBP")).then_refused(WorthTooMuch)


@pytest.mark.parametrize(
    ("price", "quantity"), [("1.005 JPY", 6), ("2.555 GBP", 1), ("0.001 GBP", 1001), ("0.5 JPY", 1)]
)
def test_what_nobody_could_pay_is_refused_when_it_is_asked_for(price: str, quantity: int) -> None:
    """A line comes to whole pennies, whole yen: no saga fails on it later."""
    new.when(
        PlaceOrder(lines=(OrderLine(sku="X", quantity=quantity, unit_price=Money.parse(price)),))
    ).then_refused(CannotBePaid)


@pytest.mark.parametrize(
    ("price", "quantity"),
    [("0.001 GBP", 1000), ("1.2345 KWD", 10), ("2.550000 GBP", 1), ("7 JPY", 1), ("0 GBP", 1)],
)
def test_a_unit_may_cost_a_fraction_of_a_penny(price: str, quantity: int) -> None:
    """What counts is what the line comes to."""
    line = OrderLine(sku="X", quantity=quantity, unit_price=Money.parse(price))
    new.when(PlaceOrder(lines=(line,))).then(OrderPlaced(lines=(line,)))


def test_a_price_is_in_a_currency_that_exists() -> None:
    """Three letters are not yet a currency, and in gold nobody pays."""
    for price in ("1 ABC", "1 XAU", "1 DEM"):
        new.when(priced(price)).then_refused(NoSuchCurrency)


def test_history_is_as_it_was() -> None:
    """What was paid elsewhere is not charged, so it may be whatever it was."""
    lines = priced("0.001 GBP").lines
    new.when(PlaceOrder(lines=lines, from_history=True)).then(
        OrderPlaced(lines=lines, from_history=True)
    )
    order.given(OrderPlaced(lines=lines, from_history=True)).when(back(1, 1)).then(came_back(1, 1))


def test_what_cannot_be_paid_back_does_not_come_back_alone() -> None:
    """Of a thousand at 0.001 GBP ten may come back, or all that are left, but not one."""
    bought = OrderPlaced(
        lines=(OrderLine(sku="X", quantity=1000, unit_price=Money.parse("0.001 GBP")),)
    )
    history = (bought, OrderConfirmed(), SHIPPED)
    order.given(*history).when(back(1, 1)).then_refused(CannotBePaid)
    order.given(*history).when(back(1, 10)).then(came_back(1, 10))
    order.given(*history, came_back(1, 10)).when(back(1, 990, "r-2")).then(came_back(1, 990, "r-2"))


def test_an_order_has_so_many_lines_at_most() -> None:
    """1,200; an order of the past may have more, and is read."""
    with pytest.raises(ValidationError, match="1200"):
        PlaceOrder(lines=(HEART,) * 1201)
    assert len(PlaceOrder(lines=(HEART,) * 1200).lines) == 1200
    assert len(OrderPlaced(lines=(HEART,) * 1201).lines) == 1201


def test_only_placing_starts_an_order() -> None:
    """Every other wish about an order that does not exist is answered with: unknown."""
    for command in (
        ConfirmOrder(),
        ShipOrder(shipment_id="s-1"),
        DeliverOrder(),
        CancelOrder(reason="why not"),
        back(line=1, quantity=1),
    ):
        new.when(command).then_refused(UnknownOrder)


# ── confirming, shipping, delivering ─────────────────────────────────────────────────────────────


def test_a_placed_order_is_confirmed() -> None:
    """Confirming follows placing."""
    placed.when(ConfirmOrder()).then(OrderConfirmed())


def test_confirming_late_changes_nothing() -> None:
    """What has been shipped or delivered was confirmed before."""
    shipped.when(ConfirmOrder()).then_nothing()
    delivered.when(ConfirmOrder()).then_nothing()


def test_a_confirmed_order_is_shipped() -> None:
    """Shipping names the shipment."""
    confirmed.when(ShipOrder(shipment_id="s-1")).then(SHIPPED)


def test_nothing_is_shipped_unconfirmed() -> None:
    """Shipping before confirming is refused."""
    placed.when(ShipOrder(shipment_id="s-1")).then_refused(NotConfirmed)


def test_an_order_is_shipped_once() -> None:
    """The same shipment again changes nothing, another one is refused."""
    for left in (shipped, delivered):
        left.when(ShipOrder(shipment_id="s-1")).then_nothing()
        left.when(ShipOrder(shipment_id="s-2")).then_refused(AlreadyShipped)


def test_a_shipped_order_is_delivered() -> None:
    """Delivery follows shipping."""
    shipped.when(DeliverOrder()).then(OrderDelivered())


def test_nothing_is_delivered_that_has_not_left() -> None:
    """Delivery before shipping is refused."""
    placed.when(DeliverOrder()).then_refused(NotShipped)
    confirmed.when(DeliverOrder()).then_refused(NotShipped)


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_cancelled_before_it_leaves() -> None:
    """Placed or confirmed, an order can be cancelled, with a reason."""
    for here in (placed, confirmed):
        here.when(CancelOrder(reason="too slow")).then(OrderCancelled(reason="too slow"))


def test_what_has_left_cannot_be_cancelled() -> None:
    """Shipped goods come back as a return or not at all."""
    for left in (shipped, delivered):
        left.when(CancelOrder(reason="too late")).then_refused(AlreadyShipped)


def test_a_second_reason_does_not_cancel_twice() -> None:
    """A cancelled order is cancelled: the first reason stands."""
    cancelled.when(CancelOrder(reason="another")).then_nothing()


def test_a_cancelled_order_stays_cancelled() -> None:
    """Nothing more happens to a cancelled order."""
    for command in (
        ConfirmOrder(),
        ShipOrder(shipment_id="s-1"),
        DeliverOrder(),
        back(line=1, quantity=1),
    ):
        cancelled.when(command).then_refused(AlreadyCancelled)


# ── returns ──────────────────────────────────────────────────────────────────────────────────────


def test_goods_come_back_in_part_or_whole() -> None:
    """A return is of any quantity up to what was ordered in that line, shipped or delivered."""
    for left in (shipped, delivered):
        left.when(back(line=1, quantity=1)).then(came_back(line=1, quantity=1))
        left.when(back(line=2, quantity=2)).then(came_back(line=2, quantity=2))


def test_no_more_comes_back_than_was_ordered() -> None:
    """Returns of a line add up to its quantity at most."""
    shipped.when(back(line=1, quantity=7)).then_refused(MoreThanOrdered)
    twice = order.given(*shipped.history, came_back(1, 3), came_back(1, 1, return_id="r-2"))
    twice.when(back(line=1, quantity=3, return_id="r-3")).then_refused(MoreThanOrdered)
    twice.when(back(line=1, quantity=2, return_id="r-3")).then(
        came_back(line=1, quantity=2, return_id="r-3")
    )


def test_one_return_may_name_a_line_twice() -> None:
    """Both quantities count against the line."""

    def twice(quantity: int) -> tuple[ReturnedLine, ...]:
        return (ReturnedLine(line=1, quantity=3), ReturnedLine(line=1, quantity=quantity))

    shipped.when(ReturnLines(return_id="r-1", lines=twice(3))).then(
        LinesReturned(return_id="r-1", lines=twice(3))
    )
    shipped.when(ReturnLines(return_id="r-1", lines=twice(4))).then_refused(MoreThanOrdered)


def test_only_lines_of_the_order_come_back() -> None:
    """The line numbers of an order end with its last line."""
    shipped.when(back(line=3, quantity=1)).then_refused(NoSuchLine)


def test_nothing_comes_back_that_has_not_left() -> None:
    """Before shipping, an order is cancelled, not returned."""
    placed.when(back(line=1, quantity=1)).then_refused(NotShipped)
    confirmed.when(back(line=1, quantity=1)).then_refused(NotShipped)


def test_a_return_id_stands_for_one_return() -> None:
    """The same return again changes nothing, also when later ones followed; another is refused."""
    twice = order.given(*shipped.history, came_back(1, 4), came_back(1, 2, return_id="r-2"))
    twice.when(back(line=1, quantity=4)).then_nothing()
    twice.when(back(line=2, quantity=1)).then_refused(ReturnAlreadyRecorded)


# ── from history ─────────────────────────────────────────────────────────────────────────────────

from_history = order.given(PLACED_IN_HISTORY)


def test_goods_of_an_order_from_history_come_back() -> None:
    """History knows nothing of shipping, so a return needs none."""
    from_history.when(back(line=1, quantity=6)).then(came_back(line=1, quantity=6))
    from_history.when(back(line=1, quantity=7)).then_refused(MoreThanOrdered)


def test_an_order_from_history_is_not_fulfilled_again() -> None:
    """Its goods left long ago: it is neither confirmed, shipped, delivered nor cancelled."""
    for command in (
        ConfirmOrder(),
        ShipOrder(shipment_id="s-1"),
        DeliverOrder(),
        CancelOrder(reason="now"),
    ):
        from_history.when(command).then_refused(FulfilledElsewhere)


# ── exchanges ────────────────────────────────────────────────────────────────────────────────────


def claim(quantity: int, exchange_id: str = "e-1") -> ClaimLines:
    lines = (ReturnedLine(line=1, quantity=quantity),)
    return ClaimLines(exchange_id=exchange_id, lines=lines)


def claimed(quantity: int, exchange_id: str = "e-1") -> LinesClaimed:
    return LinesClaimed(**dict(claim(quantity, exchange_id)))


def test_lines_are_claimed_once_for_an_exchange() -> None:
    """The same claim changes nothing; another one for the same exchange is refused."""
    delivered.when(claim(2)).then(claimed(2))
    order.given(*delivered.history, claimed(2)).when(claim(3)).then_refused(LinesAlreadyClaimed)


def test_what_is_claimed_cannot_come_back_otherwise() -> None:
    """Neither as a return nor for another exchange; the rest can."""
    half = order.given(*delivered.history, claimed(4))
    half.when(back(line=1, quantity=3)).then_refused(MoreThanOrdered)
    half.when(claim(3, "e-2")).then_refused(MoreThanOrdered)
    half.when(claim(2, "e-2")).then(claimed(2, "e-2"))


def test_what_has_come_back_cannot_be_claimed() -> None:
    """A line is returned, or exchanged."""
    order.given(*delivered.history, came_back(1, 4)).when(claim(3)).then_refused(MoreThanOrdered)


def test_lines_are_freed_when_an_exchange_does_not_take_place() -> None:
    """They can come back again then. Without a claim there is nothing to free."""
    held = order.given(*delivered.history, claimed(6))
    held.when(FreeLines(exchange_id="e-1")).then(LinesFreed(exchange_id="e-1"))
    delivered.when(FreeLines(exchange_id="e-1")).then_nothing()
    free = order.given(*held.history, LinesFreed(exchange_id="e-1"))
    free.when(back(line=1, quantity=6)).then(came_back(line=1, quantity=6))


def test_only_goods_that_have_left_are_exchanged() -> None:
    """And none of an order from history, which was paid elsewhere."""
    confirmed.when(claim(1)).then_refused(NotShipped)
    cancelled.when(claim(1)).then_refused(AlreadyCancelled)
    from_history.when(claim(1)).then_refused(FulfilledElsewhere)
