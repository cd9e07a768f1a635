"""The rules of a payment, one sentence each."""

import pytest

from domain import payments
from domain.payments import (
    AlreadyAttempted,
    AlreadyCaptured,
    AlreadyVoided,
    AuthorisePayment,
    CapturePayment,
    DeclinePayment,
    MoreThanAuthorised,
    MoreThanCaptured,
    NotCaptured,
    NothingToPay,
    OtherCurrency,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
    RefundAlreadyRecorded,
    RefundPayment,
    UnknownPayment,
    VoidPayment,
    WasDeclined,
)
from domain.values import Money
from tests.specification import Specification

payment = Specification(payments.decider)

TEN = Money.parse("10 GBP")
SIX = Money.parse("6 GBP")
FOUR = Money.parse("4 GBP")
A_BIT = Money.parse("0.001 GBP")

AUTHORISED = PaymentAuthorised(order_id="o-1", amount=TEN)

new = payment.given()
authorised = payment.given(AUTHORISED)
declined = payment.given(PaymentDeclined(order_id="o-1", amount=TEN, reason="card expired"))
captured = payment.given(AUTHORISED, PaymentCaptured(amount=SIX))
voided = payment.given(AUTHORISED, PaymentVoided())


# ── authorising ──────────────────────────────────────────────────────────────────────────────────


def test_a_payment_is_authorised() -> None:
    """Authorising holds an amount for an order."""
    new.when(AuthorisePayment(order_id="o-1", amount=TEN)).then(AUTHORISED)


def test_a_refusal_by_the_provider_is_a_fact() -> None:
    """Declining records what was asked and why it was refused."""
    new.when(DeclinePayment(order_id="o-1", amount=TEN, reason="card expired")).then(
        PaymentDeclined(order_id="o-1", amount=TEN, reason="card expired")
    )


def test_authorising_late_changes_nothing() -> None:
    """The same authorisation again, even after capture, holds no more money."""
    captured.when(AuthorisePayment(order_id="o-1", amount=TEN)).then_nothing()


def test_an_id_stands_for_one_attempt() -> None:
    """Another amount, another order or another outcome needs another payment id."""
    authorised.when(AuthorisePayment(order_id="o-1", amount=SIX)).then_refused(AlreadyAttempted)
    authorised.when(AuthorisePayment(order_id="o-2", amount=TEN)).then_refused(AlreadyAttempted)
    authorised.when(DeclinePayment(order_id="o-1", amount=TEN, reason="no")).then_refused(
        AlreadyAttempted
    )
    declined.when(AuthorisePayment(order_id="o-1", amount=TEN)).then_refused(AlreadyAttempted)


@pytest.mark.parametrize("amount", [Money.zero("GBP"), Money.parse("-1 GBP")])
def test_a_payment_moves_more_than_nothing(amount: Money) -> None:
    """Zero and less are refused, whatever is asked."""
    new.when(AuthorisePayment(order_id="o-1", amount=amount)).then_refused(NothingToPay)
    new.when(DeclinePayment(order_id="o-1", amount=amount, reason="no")).then_refused(NothingToPay)
    authorised.when(CapturePayment(amount=amount)).then_refused(NothingToPay)
    captured.when(RefundPayment(refund_id="r-1", amount=amount)).then_refused(NothingToPay)


def test_only_an_attempt_starts_a_payment() -> None:
    """Every other wish about a payment that does not exist is answered with: unknown."""
    for command in (
        CapturePayment(amount=TEN),
        VoidPayment(),
        RefundPayment(refund_id="r-1", amount=TEN),
    ):
        new.when(command).then_refused(UnknownPayment)


# ── capturing ────────────────────────────────────────────────────────────────────────────────────


def test_what_was_authorised_is_captured_whole_or_in_part() -> None:
    """Capturing takes up to what was authorised."""
    authorised.when(CapturePayment(amount=TEN)).then(PaymentCaptured(amount=TEN))
    authorised.when(CapturePayment(amount=SIX)).then(PaymentCaptured(amount=SIX))


def test_no_more_is_captured_than_was_authorised() -> None:
    """Not even a bit more."""
    authorised.when(CapturePayment(amount=TEN + A_BIT)).then_refused(MoreThanAuthorised)


def test_a_payment_is_captured_once() -> None:
    """The rest of a partial capture cannot be taken later."""
    captured.when(CapturePayment(amount=FOUR)).then_refused(AlreadyCaptured)


def test_what_is_not_held_cannot_be_captured() -> None:
    """A declined or voided payment gives no money."""
    declined.when(CapturePayment(amount=TEN)).then_refused(WasDeclined)
    voided.when(CapturePayment(amount=TEN)).then_refused(AlreadyVoided)


def test_a_payment_stays_in_its_currency() -> None:
    """Neither capture nor refund changes money of one currency for another."""
    euros = Money.parse("1 EUR")
    authorised.when(CapturePayment(amount=euros)).then_refused(OtherCurrency)
    captured.when(RefundPayment(refund_id="r-1", amount=euros)).then_refused(OtherCurrency)


# ── voiding ──────────────────────────────────────────────────────────────────────────────────────


def test_an_authorised_payment_is_voided() -> None:
    """Voiding gives up what is held."""
    authorised.when(VoidPayment()).then(PaymentVoided())


def test_captured_money_cannot_be_voided() -> None:
    """What has been taken can only be refunded."""
    captured.when(VoidPayment()).then_refused(AlreadyCaptured)


def test_where_nothing_is_held_voiding_changes_nothing() -> None:
    """A declined or voided payment holds no money, so voiding it is done already."""
    declined.when(VoidPayment()).then_nothing()
    voided.when(VoidPayment()).then_nothing()


# ── refunding ────────────────────────────────────────────────────────────────────────────────────


def test_captured_money_is_refunded_in_parts() -> None:
    """Refunds add up to what was captured at most."""
    captured.when(RefundPayment(refund_id="r-1", amount=FOUR)).then(
        PaymentRefunded(refund_id="r-1", amount=FOUR)
    )
    one = Money.parse("1 GBP")
    twice = payment.given(
        *captured.history,
        PaymentRefunded(refund_id="r-1", amount=FOUR),
        PaymentRefunded(refund_id="r-2", amount=one),
    )
    twice.when(RefundPayment(refund_id="r-3", amount=one + A_BIT)).then_refused(MoreThanCaptured)
    twice.when(RefundPayment(refund_id="r-3", amount=one)).then(
        PaymentRefunded(refund_id="r-3", amount=one)
    )


def test_no_more_is_refunded_than_was_captured() -> None:
    """The limit is what was taken, not what was authorised."""
    captured.when(RefundPayment(refund_id="r-1", amount=TEN)).then_refused(MoreThanCaptured)


def test_nothing_is_refunded_that_was_not_taken() -> None:
    """Without a capture there is nothing to give back."""
    for untouched in (authorised, declined, voided):
        untouched.when(RefundPayment(refund_id="r-1", amount=FOUR)).then_refused(NotCaptured)


def test_a_refund_id_stands_for_one_refund() -> None:
    """The same refund again changes nothing, even with nothing left; another is refused."""
    all_back = payment.given(*captured.history, PaymentRefunded(refund_id="r-1", amount=SIX))
    all_back.when(RefundPayment(refund_id="r-1", amount=SIX)).then_nothing()
    all_back.when(RefundPayment(refund_id="r-1", amount=FOUR)).then_refused(RefundAlreadyRecorded)
