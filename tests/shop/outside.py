"""The world outside for tests: a payment provider and a carrier that misbehave as faults say."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from application.ports import Declined, Done
from application.shop.ports import Audit, Authorised, Booked, Carrier, PaymentProvider
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.providers.simulated.process import SimulatedProviders
from infrastructure.shop import memory as shop_memory
from infrastructure.shop import providers as shop_providers
from infrastructure.shop.providers import SETTINGS
from tests.faults import set_faults

SetFaults = Callable[[Sequence[Fault], int], Awaitable[None]]


@dataclass(frozen=True)
class Outside:
    """Both providers, both with callers that give up soon, and their records."""

    payment_provider: PaymentProvider
    carrier: Carrier
    impatient_payments: PaymentProvider
    impatient_carrier: Carrier
    audit: Audit
    set: SetFaults

    async def set_faults(self, *faults: Fault, seed: int = 0) -> None:
        """These faults from now on, instead of all others."""
        await self.set(faults, seed)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Outside]:
    faults = Faults()
    outside = shop_memory.outside(faults, patience=0.5)

    async def set(all_of_them: Sequence[Fault], seed: int) -> None:
        faults.set(all_of_them, seed=seed)

    payments, carrier = outside.payment_provider, outside.carrier
    yield Outside(payments, carrier, payments, carrier, outside.audit, set)


@asynccontextmanager
async def over_http(simulated: SimulatedProviders) -> AsyncIterator[Outside]:
    uris = {setting: simulated.uri_of(provider.name) for setting, provider in SETTINGS.items()}
    async with (
        shop_providers.over_http(uris, patience=30) as patient,
        shop_providers.over_http(uris, patience=0.5) as impatient,
    ):
        yield Outside(
            patient.payment_provider,
            patient.carrier,
            impatient.payment_provider,
            impatient.carrier,
            patient.audit,
            lambda faults, seed: set_faults(simulated, faults, seed),
        )
        await set_faults(simulated, [])


async def found(
    provider: PaymentProvider | Carrier, key: str, within: float = 30.0
) -> Authorised | Booked | Declined | Done:
    """What came of a call that may be under way, as soon as something has come of it."""
    async with asyncio.timeout(within):
        while True:
            if answer := await provider.find(key):
                return answer
            await asyncio.sleep(0.01)
