"""The world outside for tests: a payment provider and a carrier that can be told to misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from application.ports import Declined, Done
from application.shop.ports import Audit, Authorised, Booked, Carrier, PaymentProvider
from infrastructure import providers
from infrastructure.providers.simulated import Fault, Faults, SimulatedProviders
from infrastructure.shop import memory as shop_memory
from infrastructure.shop import providers as shop_providers

Tell = Callable[[Sequence[Fault], int], Awaitable[None]]


@dataclass(frozen=True)
class Outside:
    """Both providers, whoever gives up soon, and their books."""

    payment_provider: PaymentProvider
    carrier: Carrier
    impatient_payments: PaymentProvider
    impatient_carrier: Carrier
    audit: Audit
    told: Tell

    async def tell(self, *faults: Fault, seed: int = 0) -> None:
        """These faults from now on, instead of all others."""
        await self.told(faults, seed)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Outside]:
    faults = Faults()
    payment_provider = shop_memory.PaymentProvider(faults, patience=0.5)
    carrier = shop_memory.Carrier(faults, patience=0.5)
    audit = shop_memory.Audit(payment_provider, carrier)

    async def told(all_of_them: Sequence[Fault], seed: int) -> None:
        faults.tell(all_of_them, seed=seed)

    yield Outside(payment_provider, carrier, payment_provider, carrier, audit, told)


@asynccontextmanager
async def over_http(simulated: SimulatedProviders) -> AsyncIterator[Outside]:
    payment_uri, carrier_uri = simulated.payment_provider_uri, simulated.carrier_uri
    async with (
        providers.Line(payment_uri, patience=30) as payments,
        providers.Line(carrier_uri, patience=30) as parcels,
        providers.Line(payment_uri, patience=0.5) as impatient_payments,
        providers.Line(carrier_uri, patience=0.5) as impatient_parcels,
    ):
        yield Outside(
            shop_providers.PaymentProvider(payments),
            shop_providers.Carrier(parcels),
            shop_providers.PaymentProvider(impatient_payments),
            shop_providers.Carrier(impatient_parcels),
            shop_providers.Audit(payments, parcels),
            lambda faults, seed: tell(simulated, faults, seed),
        )
        await tell(simulated, [])


async def tell(simulated: SimulatedProviders, faults: Sequence[Fault], seed: int = 0) -> None:
    """Tell simulated providers over HTTP what is to go wrong."""
    told = {"faults": [fault.model_dump(mode="json") for fault in faults], "seed": seed}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.put(f"{simulated.uri}/faults", json=told)
        answer.raise_for_status()


async def found(
    provider: PaymentProvider | Carrier, key: str, within: float = 30.0
) -> Authorised | Booked | Declined | Done:
    """What came of a call that may be under way, as soon as something has come of it."""
    async with asyncio.timeout(within):
        while True:
            if answer := await provider.find(key):
                return answer
            await asyncio.sleep(0.01)
