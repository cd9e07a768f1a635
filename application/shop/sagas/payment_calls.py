"""The calls to the payment provider: what a step can request, and how each is performed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from application.ports import Declined, ProviderRefused
from application.sagas.actions import OutsideCall
from application.sagas.performing import CallPerformer, Record, answer_of
from application.shop.ports import Authorised, Outside, PaymentProvider
from domain import payments
from domain.payments import DeclinePayment, RefundPayment, VoidPayment
from domain.shop_values import OrderId, PaymentId, RefundId
from domain.values import Money

REASON: Final = 200  # characters that the domain keeps of one

# ── what can be asked for ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class AuthorisePayment(OutsideCall):
    """Have the money held, and record it. Declined is refused."""

    payment_id: PaymentId
    order_id: OrderId
    amount: Money


@dataclass(frozen=True)
class CapturePayment(OutsideCall):
    """Take what is held, and record it."""

    payment_id: PaymentId
    amount: Money


@dataclass(frozen=True)
class ReturnPayment(OutsideCall):
    """Let go of what is held or, if it was taken, give it back; whatever happened is recorded."""

    payment_id: PaymentId
    order_id: OrderId
    amount: Money


@dataclass(frozen=True)
class RefundPart(OutsideCall):
    """Give back a part of what was taken, and record it."""

    payment_id: PaymentId
    refund_id: RefundId
    amount: Money


def authorisation_key(payment_id: PaymentId) -> str:
    """What the payment provider knows this payment by."""
    return f"authorise:{payment_id}"


# ── how it is performed ──────────────────────────────────────────────────────────────────────────


def payment_calls(outside: Outside) -> Sequence[CallPerformer[Any]]:
    """Every call above, performed by the payment provider."""
    calls = _Calls(outside.payment_provider)
    return (
        CallPerformer(AuthorisePayment, calls.authorise),
        CallPerformer(CapturePayment, calls.capture),
        CallPerformer(ReturnPayment, calls.give_back),
        CallPerformer(RefundPart, calls.refund_part),
    )


@dataclass(frozen=True)
class _Calls:
    provider: PaymentProvider

    async def authorise(self, call: AuthorisePayment, record: Record) -> None:
        id, key, provider = call.payment_id, authorisation_key(call.payment_id), self.provider
        asked = provider.authorise(key, call.order_id, call.amount)
        match await answer_of(asked, provider.find, key):
            case Authorised():
                await record(id, _authorised(call), new=True)
            case Declined(reason):
                await record(id, _declined(call, reason), new=True)
                raise ProviderRefused(reason)

    async def capture(self, call: CapturePayment, record: Record) -> None:
        id, key, provider = call.payment_id, f"capture:{call.payment_id}", self.provider
        asked = provider.capture(key, authorisation_key(id), call.amount)
        await answer_of(asked, provider.find, key)
        await record(id, payments.CapturePayment(amount=call.amount))

    async def give_back(self, call: ReturnPayment, record: Record) -> None:
        """Once it is voided, neither an authorisation nor a capture that is late can arrive."""
        id, held, provider = call.payment_id, authorisation_key(call.payment_id), self.provider
        try:
            await answer_of(provider.void(f"void:{id}", held), provider.find, f"void:{id}")
        except ProviderRefused:  # it has been captured
            await self._refund(call, record)
            return
        match await provider.find(held):
            case Authorised():
                await record(id, _authorised(call))
                await record(id, VoidPayment())
            case Declined(reason):
                await record(id, _declined(call, reason))

    async def refund_part(self, call: RefundPart, record: Record) -> None:
        id, provider = call.payment_id, self.provider
        key = f"refund:{id}/{call.refund_id}"  # no id holds a slash
        asked = provider.refund(key, authorisation_key(id), call.amount)
        await answer_of(asked, provider.find, key)
        await record(id, RefundPayment(refund_id=call.refund_id, amount=call.amount))

    async def _refund(self, call: ReturnPayment, record: Record) -> None:
        id, key, provider = call.payment_id, f"refund:{call.payment_id}", self.provider
        asked = provider.refund(key, authorisation_key(id), call.amount)
        await answer_of(asked, provider.find, key)
        await record(id, _authorised(call))
        await record(id, payments.CapturePayment(amount=call.amount))
        await record(id, RefundPayment(refund_id=id, amount=call.amount))


def _authorised(call: AuthorisePayment | ReturnPayment) -> payments.AuthorisePayment:
    return payments.AuthorisePayment(order_id=call.order_id, amount=call.amount)


def _declined(call: AuthorisePayment | ReturnPayment, reason: str) -> DeclinePayment:
    return DeclinePayment(order_id=call.order_id, amount=call.amount, reason=reason[:REASON])
