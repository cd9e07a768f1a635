"""A payment provider in memory, and the rules by which the simulated one goes, too."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from application.ports import Authorised, Declined, Done, PaymentOnBooks
from domain.values import Money, OrderId
from infrastructure.memory.faults import Faults, Subject
from infrastructure.memory.ledger import Answer, Call, Entry, Ledger, Refusal
from infrastructure.memory.line import Line, Sleep

# ── what it is asked ─────────────────────────────────────────────────────────────────────────────


class Authorise(Call):
    order_id: OrderId
    amount: Money


class Capture(Call):
    authorisation: str
    amount: Money


class Void(Call):
    authorisation: str


class Refund(Call):
    authorisation: str
    amount: Money


PaymentCall = Authorise | Capture | Void | Refund

# ── how it decides ───────────────────────────────────────────────────────────────────────────────


class Payments:
    """The books of a payment provider."""

    def __init__(self) -> None:
        self._payments: dict[str, PaymentOnBooks] = {}
        self._voided: set[str] = set()

    @property
    def payments(self) -> Mapping[str, PaymentOnBooks]:
        return self._payments

    def decide(self, key: str, call: PaymentCall, decline: str | None) -> Answer:
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

    def enter(self, entry: Entry[PaymentCall]) -> None:
        if isinstance(entry.answer, Authorised | Done):
            self._evolve(entry.key, entry.call)

    def subject(self, key: str, call: PaymentCall) -> Subject:
        if isinstance(call, Authorise):
            return Subject("authorise", key, call.order_id, call.amount)
        payment = self._payments.get(call.authorisation)
        order_id = payment.order_id if payment else None
        match call:
            case Capture():
                return Subject("capture", key, order_id, call.amount)
            case Refund():
                return Subject("refund", key, order_id, call.amount)
            case Void():
                return Subject("void", key, order_id, payment.authorised if payment else None)
            case _:
                assert_never(call)

    def _authorise(self, key: str, amount: Money, decline: str | None) -> Answer:
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
                payments[key] = PaymentOnBooks(key, order_id, amount, nothing, nothing, False)
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


def _why_not_capture(amount: Money, payment: PaymentOnBooks) -> str | None:
    if payment.voided:
        return "it has been voided"
    if payment.captured.amount > 0:
        return f"{payment.captured} have been captured, and that is done once"
    return _why_not_of(amount, payment.authorised)


def _why_not_refund(amount: Money, payment: PaymentOnBooks) -> str | None:
    return _why_not_of(amount, payment.captured - payment.refunded)


def _why_not_of(amount: Money, there: Money) -> str | None:
    if amount.currency != there.currency:
        return f"{amount} cannot be had of {there}"
    if amount.amount <= 0 or there < amount:
        return f"{amount} cannot be had, there are {there}"
    return None


# ── the port ─────────────────────────────────────────────────────────────────────────────────────


class PaymentProvider:
    """A :class:`~application.ports.PaymentProvider`."""

    def __init__(
        self,
        ledger: Ledger[PaymentCall] | None = None,
        faults: Faults | None = None,
        *,
        patience: float | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """After ``patience`` seconds a call raises ``OutcomeUnknown``, but may still arrive."""
        self._line = Line(ledger or payments_ledger(), faults or Faults(), patience, sleep)

    async def authorise(self, key: str, order_id: OrderId, amount: Money) -> Authorised | Declined:
        answer = await self._line.call(key, Authorise(order_id=order_id, amount=amount))
        assert isinstance(answer, Authorised | Declined)  # so the books decide
        return answer

    async def capture(self, key: str, authorisation: str, amount: Money) -> None:
        await self._line.call(key, Capture(authorisation=authorisation, amount=amount))

    async def void(self, key: str, authorisation: str) -> None:
        await self._line.call(key, Void(authorisation=authorisation))

    async def refund(self, key: str, authorisation: str, amount: Money) -> None:
        await self._line.call(key, Refund(authorisation=authorisation, amount=amount))

    async def find(self, key: str) -> Authorised | Declined | Done | None:
        return await self._line.find(key)
