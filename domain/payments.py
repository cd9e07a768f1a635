"""A payment: authorised, captured, perhaps refunded. Stream: ``payment-<payment id>``.

    authorised → captured → refunded              captured once, refunded in parts
         └─────→ voided                           only before it is captured
    declined                                      by the provider: try under a new payment id

The calls to the provider are made elsewhere. This aggregate records its answers, and decides which
call may follow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.shop_values import OrderId, RefundId
from domain.values import Money, Text

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class PaymentAuthorised(Event):
    order_id: OrderId
    amount: Money


class PaymentDeclined(Event):
    order_id: OrderId
    amount: Money
    reason: Text


class PaymentCaptured(Event):
    """Capture all that was authorised, or a part. The rest is released."""

    amount: Money


class PaymentVoided(Event):
    pass


class PaymentRefunded(Event):
    refund_id: RefundId
    amount: Money


PaymentEvent = (
    PaymentAuthorised | PaymentDeclined | PaymentCaptured | PaymentVoided | PaymentRefunded
)

# ── state ────────────────────────────────────────────────────────────────────────────────────────


class PaymentStatus(StrEnum):
    AUTHORISED = "authorised"
    DECLINED = "declined"
    CAPTURED = "captured"
    VOIDED = "voided"


@dataclass(frozen=True)
class Payment:
    status: PaymentStatus | None = None
    attempt: PaymentAuthorised | PaymentDeclined | None = None
    captured: Money | None = None
    refunds: Mapping[RefundId, Money] = field(default_factory=dict)


def evolve(payment: Payment, event: PaymentEvent) -> Payment:
    match event:
        case PaymentAuthorised():
            return replace(payment, status=PaymentStatus.AUTHORISED, attempt=event)
        case PaymentDeclined():
            return replace(payment, status=PaymentStatus.DECLINED, attempt=event)
        case PaymentCaptured(amount=amount):
            return replace(payment, status=PaymentStatus.CAPTURED, captured=amount)
        case PaymentVoided():
            return replace(payment, status=PaymentStatus.VOIDED)
        case PaymentRefunded(refund_id=refund_id, amount=amount):
            return replace(payment, refunds={**payment.refunds, refund_id: amount})
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class AuthorisePayment(Command):
    order_id: OrderId
    amount: Money


class DeclinePayment(Command):
    """Record that the provider refused."""

    order_id: OrderId
    amount: Money
    reason: Text


class CapturePayment(Command):
    amount: Money


class VoidPayment(Command):
    pass


class RefundPayment(Command):
    refund_id: RefundId
    amount: Money


PaymentCommand = AuthorisePayment | DeclinePayment | CapturePayment | VoidPayment | RefundPayment


class UnknownPayment(Missing):
    """No payment has been attempted under this id."""


class AlreadyAttempted(DomainError):
    """Another attempt has been made under this payment id."""


class NothingToPay(DomainError):
    """An amount to pay must be more than zero."""


class OtherCurrency(DomainError):
    """The payment is in another currency."""


class WasDeclined(DomainError):
    """The provider refused the payment."""


class AlreadyCaptured(DomainError):
    """The payment has been captured."""


class AlreadyVoided(DomainError):
    """The payment has been voided."""


class MoreThanAuthorised(DomainError):
    """No more can be captured than was authorised."""


class NotCaptured(DomainError):
    """The payment has not been captured, so nothing can be refunded."""


class MoreThanCaptured(DomainError):
    """No more can be refunded than was captured."""


class RefundAlreadyRecorded(DomainError):
    """Another refund has been recorded under this id."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: PaymentCommand, payment: Payment) -> Sequence[PaymentEvent]:
    match command:
        case AuthorisePayment():
            return _attempt(PaymentAuthorised(**dict(command)), payment)
        case DeclinePayment():
            return _attempt(PaymentDeclined(**dict(command)), payment)
        case _ if payment.attempt is None:
            raise UnknownPayment("there is no payment with this id")
        case CapturePayment(amount=amount):
            return _capture(amount, payment.attempt.amount, payment)
        case VoidPayment():
            return _void(payment.status)
        case RefundPayment():
            return _refund(command, payment)
        case _:
            assert_never(command)


def _attempt(
    attempt: PaymentAuthorised | PaymentDeclined, payment: Payment
) -> Sequence[PaymentEvent]:
    if payment.attempt == attempt:
        return []
    if payment.attempt is not None:
        raise AlreadyAttempted("another attempt was made under this id: use a new payment id")
    _require_something(attempt.amount)
    return [attempt]


def _capture(amount: Money, authorised: Money, payment: Payment) -> Sequence[PaymentEvent]:
    match payment.status:
        case PaymentStatus.CAPTURED if payment.captured == amount:
            return []
        case PaymentStatus.CAPTURED:
            raise AlreadyCaptured(f"{payment.captured} have been captured already")
        case PaymentStatus.VOIDED:
            raise AlreadyVoided("a voided payment cannot be captured")
        case PaymentStatus.DECLINED:
            raise WasDeclined("a declined payment cannot be captured")
    _require_something(amount)
    _require_same_currency(amount, authorised)
    if authorised < amount:
        raise MoreThanAuthorised(f"{amount} are to be captured, {authorised} are authorised")
    return [PaymentCaptured(amount=amount)]


def _void(status: PaymentStatus | None) -> Sequence[PaymentEvent]:
    match status:
        case PaymentStatus.CAPTURED:
            raise AlreadyCaptured("the payment has been captured: refund it instead")
        case PaymentStatus.AUTHORISED:
            return [PaymentVoided()]
        case _:
            return []  # voided already, or declined: no money is held


def _refund(command: RefundPayment, payment: Payment) -> Sequence[PaymentEvent]:
    recorded = payment.refunds.get(command.refund_id)
    if recorded == command.amount:
        return []
    if recorded is not None:
        raise RefundAlreadyRecorded(f"refund {command.refund_id} was of {recorded}")
    if payment.captured is None:
        raise NotCaptured("the payment has not been captured: void it instead")
    _require_something(command.amount)
    _require_same_currency(command.amount, payment.captured)
    left = payment.captured - sum(
        payment.refunds.values(), start=Money.zero(payment.captured.currency)
    )
    if left < command.amount:
        raise MoreThanCaptured(
            f"{command.amount} are to be refunded, {left} are left of the payment"
        )
    return [PaymentRefunded(refund_id=command.refund_id, amount=command.amount)]


def _require_something(amount: Money) -> None:
    if amount.amount <= 0:
        raise NothingToPay(f"{amount} cannot be paid: an amount is more than zero")


def _require_same_currency(amount: Money, payment: Money) -> None:
    if amount.currency != payment.currency:
        raise OtherCurrency(f"{amount} cannot be captured from a payment in {payment.currency}")


decider: Decider[PaymentCommand, Payment, PaymentEvent] = Decider(Payment(), evolve, decide)
