"""The rules and the records of a simulated payment provider."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, assert_never

from application.ports import Declined, Done
from application.shop.ports import Authorised, PaymentRecord
from domain.values import Money
from infrastructure.providers.simulated.rules import (
    Answer,
    Entry,
    Refusal,
    SimulatedProvider,
    Subject,
)
from infrastructure.shop.providers.payment_provider import (
    PAYMENT_PROVIDER,
    Authorise,
    Capture,
    PaymentCall,
    Refund,
    Void,
)


class Payments:
    """The rules of a payment provider, over its payments."""

    def __init__(self) -> None:
        self._payments: dict[str, PaymentRecord] = {}
        self._voided: set[str] = set()

    @property
    def records(self) -> Mapping[str, PaymentRecord]:
        return self._payments

    def decide(self, key: str, call: PaymentCall, decline: str | None) -> Answer[Authorised]:
        if isinstance(call, Authorise):
            return self._authorise(key, call.amount, decline)
        payment = self._payments.get(call.authorisation)
        if isinstance(call, Void):
            captured = payment is not None and payment.captured.amount > 0
            return Refusal("it has been captured: refund it") if captured else Done()
        if payment is None:
            return Refusal(f"there is no authorisation {call.authorisation!r}")
        reason = _why_not_capture(call.amount, payment)
        if isinstance(call, Refund):
            reason = _why_not_refund(call.amount, payment)
        return Done() if reason is None else Refusal(reason)

    def apply(self, entry: Entry[PaymentCall, Authorised]) -> None:
        if isinstance(entry.answer, Authorised | Done):
            self._evolve(entry.key, entry.call)

    def subject(self, call: PaymentCall) -> Subject:
        if isinstance(call, Authorise):
            return Subject({"order_id": call.order_id}, call.amount)
        payment = self._payments.get(call.authorisation)
        fields = {"order_id": payment.order_id} if payment else {}
        if isinstance(call, Void):
            return Subject(fields, payment.authorised if payment else None)
        return Subject(fields, call.amount)

    def _authorise(self, key: str, amount: Money, decline: str | None) -> Answer[Authorised]:
        if amount.amount <= 0:
            return Refusal(f"{amount} cannot be held")
        if key in self._voided:
            return Declined("it was voided before it came")
        if decline is not None:
            return Declined(decline)
        return Authorised(f"A{len(self._payments) + 1:08}")

    def _evolve(self, key: str, call: PaymentCall) -> None:
        payments = self._payments
        match call:
            case Authorise(order_id=order_id, amount=amount):
                nothing = Money.zero(amount.currency)
                payments[key] = PaymentRecord(key, order_id, amount, nothing, nothing, False)
            case Capture(authorisation=name, amount=amount):
                payments[name] = replace(payments[name], captured=amount)
            case Refund(authorisation=name, amount=amount):
                refunded = payments[name].refunded + amount
                payments[name] = replace(payments[name], refunded=refunded)
            case Void(authorisation=name):
                self._voided.add(name)
                if name in payments:
                    payments[name] = replace(payments[name], voided=True)
            case _:
                assert_never(call)


def _why_not_capture(amount: Money, payment: PaymentRecord) -> str | None:
    if payment.voided:
        return "it has been voided"
    if payment.captured.amount > 0:
        return f"{payment.captured} have been captured, and that is done once"
    return _why_not_of(amount, payment.authorised)


def _why_not_refund(amount: Money, payment: PaymentRecord) -> str | None:
    return _why_not_of(amount, payment.captured - payment.refunded)


def _why_not_of(amount: Money, there: Money) -> str | None:
    if amount.currency != there.currency:
        return f"{amount} cannot be had of {there}"
    if amount.amount <= 0 or there < amount:
        return f"{amount} cannot be had, there are {there}"
    return None


SIMULATED_PAYMENT_PROVIDER: Final = SimulatedProvider(
    PAYMENT_PROVIDER, Payments, about=("order_id",), declines="declined by the bank"
)
