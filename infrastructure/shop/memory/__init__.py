"""The shop's providers in memory. They can be told to misbehave."""

import asyncio

from application.shop import ports
from infrastructure.providers.simulated.faults import Faults
from infrastructure.providers.simulated.line import Sleep
from infrastructure.shop.memory.audit import Audit
from infrastructure.shop.memory.carrier import Carrier
from infrastructure.shop.memory.payment_provider import PaymentProvider

__all__ = ["Audit", "Carrier", "PaymentProvider", "outside"]


def outside(
    faults: Faults | None = None, *, patience: float | None = None, sleep: Sleep = asyncio.sleep
) -> ports.Outside:
    """All of them, which share one set of faults. ``patience``, ``sleep``: as for each."""
    payment_provider = PaymentProvider(faults, patience=patience, sleep=sleep)
    carrier = Carrier(faults, patience=patience, sleep=sleep)
    return ports.Outside(payment_provider, carrier, Audit(payment_provider, carrier))
