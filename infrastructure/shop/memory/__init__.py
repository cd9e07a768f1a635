"""The shop's providers in memory. They can be told to misbehave."""

from infrastructure.shop.memory.audit import Audit
from infrastructure.shop.memory.carrier import Carrier
from infrastructure.shop.memory.payment_provider import PaymentProvider

__all__ = ["Audit", "Carrier", "PaymentProvider"]
