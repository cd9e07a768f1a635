"""The rules of an exchange, one sentence each."""

import pytest

from domain import exchanges
from domain.exchanges import (
    AlreadySent,
    ApproveExchange,
    CannotBePaid,
    CloseExchange,
    CompleteExchange,
    ExchangeAlreadyRequested,
    ExchangeApproved,
    ExchangeClosed,
    ExchangeCompleted,
    ExchangeIsClosed,
    ExchangeRequested,
    GoodsBack,
    GoodsNotReceived,
    GoodsReceived,
    NegativePrice,
    NotApproved,
    NotSent,
    OtherCurrency,
    ReceiveGoods,
    Replacement,
    ReplacementSent,
    RequestExchange,
    SendReplacement,
    UnknownExchange,
)
from domain.values import Money
from tests.specification import Specification

exchange = Specification(exchanges.decider)

BACK = GoodsBack(line=1, sku="mug", quantity=2, unit_price=Money.parse("2.5 GBP"))


def other(price: str = "4 GBP", quantity: int = 2) -> Replacement:
    return Replacement(sku="bowl", quantity=quantity, unit_price=Money.parse(price))


def request(*replacements: Replacement) -> RequestExchange:
    return RequestExchange(
        order_id="o-1", country="France", back=(BACK,), replacements=replacements or (other(),)
    )


REQUESTED = ExchangeRequested(**dict(request()))
RECEIVED, APPROVED, SENT = GoodsReceived(), ExchangeApproved(), ReplacementSent()
COMPLETED, CLOSED = ExchangeCompleted(), ExchangeClosed(reason="too late")

new = exchange.given()
requested = exchange.given(REQUESTED)
received = exchange.given(REQUESTED, RECEIVED)
approved = exchange.given(REQUESTED, RECEIVED, APPROVED)
sent = exchange.given(REQUESTED, RECEIVED, APPROVED, SENT)
completed = exchange.given(REQUESTED, RECEIVED, APPROVED, SENT, COMPLETED)
closed = exchange.given(REQUESTED, CLOSED)


def test_an_exchange_is_requested() -> None:
    """It names the order, what goes back, and what comes for it."""
    new.when(request()).then(REQUESTED)


@pytest.mark.parametrize(
    ("price", "difference"), [("4 GBP", "3.0 GBP"), ("2.5 GBP", "0.0 GBP"), ("1 GBP", "-3.0 GBP")]
)
def test_the_difference_is_what_the_customer_pays(price: str, difference: str) -> None:
    """Below zero it goes back to the customer."""
    assert str(ExchangeRequested(**dict(request(other(price)))).difference) == difference


def test_an_id_stands_for_one_exchange() -> None:
    """The same request changes nothing, even at its end; one of other goods is refused."""
    completed.when(request()).then_nothing()
    requested.when(request(other("5 GBP"))).then_refused(ExchangeAlreadyRequested)


def test_a_replacement_has_a_price_in_the_currency_of_the_order() -> None:
    """And none below zero."""
    new.when(request(other("4 EUR"))).then_refused(OtherCurrency)
    new.when(request(other("-1 GBP"))).then_refused(NegativePrice)


def test_a_difference_can_be_paid() -> None:
    """It is a whole number of pennies, of an amount that a payment can hold."""
    new.when(request(other("2.501 GBP", 1))).then_refused(CannotBePaid)
    new.when(request(other("999999999999999 GBP"))).then_refused(CannotBePaid)


def test_goods_come_back_once() -> None:
    """Recorded again, whatever has followed, it changes nothing."""
    requested.when(ReceiveGoods()).then(RECEIVED)
    for after in (received, approved, sent, completed):
        after.when(ReceiveGoods()).then_nothing()


def test_an_exchange_is_approved_once_the_goods_are_here() -> None:
    """Not before."""
    requested.when(ApproveExchange()).then_refused(GoodsNotReceived)
    received.when(ApproveExchange()).then(APPROVED)
    sent.when(ApproveExchange()).then_nothing()


def test_a_replacement_leaves_once_the_exchange_is_approved() -> None:
    """Not before, and once."""
    for early in (requested, received):
        early.when(SendReplacement()).then_refused(NotApproved)
    approved.when(SendReplacement()).then(SENT)
    completed.when(SendReplacement()).then_nothing()


def test_an_exchange_is_completed_once_the_replacement_has_left() -> None:
    """Not before."""
    approved.when(CompleteExchange()).then_refused(NotSent)
    sent.when(CompleteExchange()).then(COMPLETED)
    completed.when(CompleteExchange()).then_nothing()


def test_an_exchange_is_closed_before_the_replacement_leaves() -> None:
    """Of closing and sending that come at once, the first one decides."""
    for open in (requested, received, approved):
        open.when(CloseExchange(reason="too late")).then(CLOSED)
    for gone in (sent, completed):
        gone.when(CloseExchange(reason="too late")).then_refused(AlreadySent)
    closed.when(CloseExchange(reason="another")).then_nothing()


def test_nothing_happens_in_a_closed_exchange() -> None:
    """Goods that come back then are a return."""
    for late in (ReceiveGoods(), ApproveExchange(), SendReplacement(), CompleteExchange()):
        closed.when(late).then_refused(ExchangeIsClosed)


def test_there_must_be_an_exchange() -> None:
    """Nothing but a request begins one."""
    for early in (ReceiveGoods(), SendReplacement(), CloseExchange(reason="why")):
        new.when(early).then_refused(UnknownExchange)
