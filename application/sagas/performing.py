"""Performs the actions of a saga's step. Whatever was done outside is recorded inside, too.

Repeating an action is safe. The id of each of its commands names the saga, the step, the kind of
command, and the aggregate that it is for; what is asked of a provider goes under a key that names
it. So nothing outside happens twice, in whichever order the actions of a step are performed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar, assert_never
from uuid import uuid5

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.ports import Declined, Done, OutcomeUnknown, ProviderRefused, StreamUnusable
from application.sagas.actions import (
    Action,
    AuthorisePayment,
    BookShipment,
    CancelShipment,
    CapturePayment,
    ReturnPayment,
    Tell,
)
from application.sagas.saga import Outcome, Refused, Succeeded
from application.shop.ports import Authorised, Booked, Carrier, PaymentProvider
from domain import payments, shipments
from domain.decider import Command, DomainError
from domain.payments import DeclinePayment, RefundPayment, VoidPayment
from domain.shop_values import OrderId, PaymentId
from domain.values import Money

CARRIER: Final = "the carrier"  # there is one; its name stands in each shipment
AT_ONCE: Final = 8  # actions of one step
REASON: Final = 200  # characters that the domain keeps of one

T = TypeVar("T")


@dataclass(frozen=True)
class Performer:
    """Performs actions against the domain and the two providers."""

    dispatch: CommandDispatch
    payment_provider: PaymentProvider
    carrier: Carrier

    async def __call__(self, actions: Sequence[Action], context: Context) -> Outcome:
        """Perform all of them, under ids that are made of the context's command id.

        Refused: at least one will never be done, others may have been. Raises what the ports raise
        when an action may work later, or may even have worked.
        """
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(action: Action) -> None:
            async with limit:
                await _Act(self, context).perform(action)

        # All are waited for: what is cut off may still arrive after it has been undone.
        errors = await asyncio.gather(*map(one, actions), return_exceptions=True)
        for error, action in zip(errors, actions, strict=True):
            if isinstance(error, DomainError | ProviderRefused | StreamUnusable):
                acted = isinstance(error, DomainError) and not isinstance(action, Tell)
                return Refused(_said(error), partly=acted or len(actions) > 1)
        for error in errors:
            if error is not None:
                raise error
        return Succeeded()


def _said(error: DomainError | ProviderRefused | StreamUnusable) -> str:
    """A provider's words speak for themselves; the domain's fact is in the name."""
    name = f"{type(error).__name__}: " if isinstance(error, DomainError) else ""
    return f"{name}{error}"


@dataclass(frozen=True)
class _Act:
    """One action under way."""

    world: Performer
    context: Context

    async def perform(self, action: Action) -> None:
        match action:
            case Tell(id, command):
                await self._tell(id, command)
            case AuthorisePayment(payment_id, order_id, amount):
                await self._authorise(payment_id, order_id, amount)
            case CapturePayment(payment_id, amount):
                await self._capture(payment_id, amount)
            case ReturnPayment(payment_id, order_id, amount):
                await self._return(payment_id, order_id, amount)
            case BookShipment():
                await self._book(action)
            case CancelShipment():
                await self._cancel(action)
            case _:
                assert_never(action)

    async def _tell(self, id: str, command: Command, *, new: bool = False) -> None:
        command_id = uuid5(self.context.command_id, f"{type(command).__name__} {id}")
        context = replace(self.context, command_id=command_id)
        await self.world.dispatch(id, command, context, new=new)

    async def _authorise(self, id: PaymentId, order_id: OrderId, amount: Money) -> None:
        key, provider = authorisation_key(id), self.world.payment_provider
        match await _asked(provider.authorise(key, order_id, amount), provider.find, key):
            case Authorised():
                held = payments.AuthorisePayment(order_id=order_id, amount=amount)
                await self._tell(id, held, new=True)
            case Declined(reason):
                await self._tell(id, _declined(order_id, amount, reason), new=True)
                raise ProviderRefused(reason)

    async def _capture(self, id: PaymentId, amount: Money) -> None:
        key, provider = f"capture:{id}", self.world.payment_provider
        await _asked(provider.capture(key, authorisation_key(id), amount), provider.find, key)
        await self._tell(id, payments.CapturePayment(amount=amount))

    async def _return(self, id: PaymentId, order_id: OrderId, amount: Money) -> None:
        """Once it is voided, neither an authorisation nor a capture that is late can arrive."""
        provider, held = self.world.payment_provider, authorisation_key(id)
        try:
            await _asked(provider.void(f"void:{id}", held), provider.find, f"void:{id}")
        except ProviderRefused:  # it has been captured
            await self._give_back(id, order_id, amount)
            return
        match await provider.find(held):
            case Authorised():
                await self._tell(id, payments.AuthorisePayment(order_id=order_id, amount=amount))
                await self._tell(id, VoidPayment())
            case Declined(reason):
                await self._tell(id, _declined(order_id, amount, reason))

    async def _give_back(self, id: PaymentId, order_id: OrderId, amount: Money) -> None:
        key, provider = f"refund:{id}", self.world.payment_provider
        await _asked(provider.refund(key, authorisation_key(id), amount), provider.find, key)
        await self._tell(id, payments.AuthorisePayment(order_id=order_id, amount=amount))
        await self._tell(id, payments.CapturePayment(amount=amount))
        await self._tell(id, RefundPayment(refund_id=id, amount=amount))

    async def _book(self, action: BookShipment) -> None:
        key, carrier = booking_key(action.shipment_id), self.world.carrier
        booking = carrier.book(key, action.order_id, action.country)
        match await _asked(booking, carrier.find, key):
            case Booked():
                await self._tell(action.shipment_id, _booked(action), new=True)
            case Declined(reason):
                raise ProviderRefused(reason)

    async def _cancel(self, action: CancelShipment) -> None:
        """Once it is cancelled, a booking that is late cannot arrive."""
        id, carrier, booked = (
            action.shipment_id,
            self.world.carrier,
            booking_key(action.shipment_id),
        )
        await _asked(carrier.cancel(f"cancel:{id}", booked), carrier.find, f"cancel:{id}")
        if isinstance(await carrier.find(booked), Booked):
            await self._tell(id, _booked(action))
            await self._tell(id, shipments.CancelShipment())


def authorisation_key(payment_id: PaymentId) -> str:
    """What the payment provider knows this payment by."""
    return f"authorise:{payment_id}"


def booking_key(shipment_id: str) -> str:
    """What the carrier knows this shipment by."""
    return f"book:{shipment_id}"


async def _asked(
    call: Awaitable[T], find: Callable[[str], Awaitable[T | Done | None]], key: str
) -> T | Done | None:
    """The provider's answer; if none came, what it finds under the key. Raises as the call did."""
    try:
        return await call
    except OutcomeUnknown:
        if (found := await find(key)) is None:
            raise
        return found


def _booked(action: BookShipment | CancelShipment) -> shipments.BookShipment:
    return shipments.BookShipment(order_id=action.order_id, carrier=CARRIER, country=action.country)


def _declined(order_id: OrderId, amount: Money, reason: str) -> DeclinePayment:
    return DeclinePayment(order_id=order_id, amount=amount, reason=reason[:REASON])
