"""The shop's payment provider and carrier: how each is declared, and its port over a connection.

How they are spoken to, those that are simulated and those of others behind a small translation
(:mod:`infrastructure.providers` has the rest)::

    POST  {uri}/authorise   {"order_id", "amount"}         {"answer": "authorised", "reference"}
    POST  {uri}/capture     {"authorisation", "amount"}    {"answer": "done"}
    POST  {uri}/void        {"authorisation"}              {"answer": "done"}
    POST  {uri}/refund      {"authorisation", "amount"}    {"answer": "done"}
    POST  {uri}/book        {"order_id", "country",        {"answer": "booked", "tracking_code"}
                             "parcels"}
    POST  {uri}/cancel      {"booking"}                    {"answer": "done"}

Money is text, ``"2.55 GBP"``.
"""

from infrastructure.shop.providers.audit import Audit
from infrastructure.shop.providers.carrier import CARRIER, Carrier
from infrastructure.shop.providers.opening import SETTINGS, outside_over, over_http
from infrastructure.shop.providers.payment_provider import PAYMENT_PROVIDER, PaymentProvider

__all__ = [
    "CARRIER",
    "PAYMENT_PROVIDER",
    "SETTINGS",
    "Audit",
    "Carrier",
    "PaymentProvider",
    "outside_over",
    "over_http",
]
