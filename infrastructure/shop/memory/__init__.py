"""The shop's providers as they are simulated: their rules, and each in memory."""

import asyncio
from typing import Any, Final

from application.shop.ports import Outside
from infrastructure.providers.simulated.connection import SimulatedConnection, Sleep
from infrastructure.providers.simulated.faults import Faults
from infrastructure.providers.simulated.rules import SimulatedProvider
from infrastructure.shop.memory.bookings import SIMULATED_CARRIER
from infrastructure.shop.memory.carrier import Carrier
from infrastructure.shop.memory.payment_provider import PaymentProvider
from infrastructure.shop.memory.payments import SIMULATED_PAYMENT_PROVIDER
from infrastructure.shop.providers import Audit, outside_over

__all__ = ["SIMULATED", "Audit", "Carrier", "PaymentProvider", "outside"]

SIMULATED: Final[tuple[SimulatedProvider[Any, Any, Any], ...]] = (
    SIMULATED_PAYMENT_PROVIDER,
    SIMULATED_CARRIER,
)
"""All simulated providers. A new one is one more line."""


def outside(
    faults: Faults | None = None, *, patience: float | None = None, sleep: Sleep = asyncio.sleep
) -> Outside:
    """All of them in memory, with one set of faults.

    After ``patience`` seconds a call raises ``OutcomeUnknown``, but may still arrive.
    """
    faults = Faults() if faults is None else faults
    return outside_over(
        {
            one.provider.name: SimulatedConnection(one, faults, patience=patience, sleep=sleep)
            for one in SIMULATED
        }
    )
