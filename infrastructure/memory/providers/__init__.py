"""The world outside in memory: a payment provider and a carrier that can be told to misbehave."""

from infrastructure.memory.providers.audit import Audit
from infrastructure.memory.providers.carrier import Carrier
from infrastructure.memory.providers.faults import Fault, Faults
from infrastructure.memory.providers.payment_provider import PaymentProvider

__all__ = ["Audit", "Carrier", "Fault", "Faults", "PaymentProvider"]
