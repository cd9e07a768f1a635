"""A payment provider and a carrier over HTTP.

How they are spoken to, ours and those of others behind a small translation::

    POST  {uri}/authorise   {"order_id", "amount"}         {"answer": "authorised", "reference"}
    POST  {uri}/capture     {"authorisation", "amount"}    {"answer": "done"}
    POST  {uri}/void        {"authorisation"}              {"answer": "done"}
    POST  {uri}/refund      {"authorisation", "amount"}    {"answer": "done"}
    POST  {uri}/book        {"order_id", "country",        {"answer": "booked", "tracking_code"}
                             "parcels"}
    POST  {uri}/cancel      {"booking"}                    {"answer": "done"}
    GET   {uri}/calls?key=  what came of a call            as that call; {"answer": null}: nothing
    GET   {uri}             the books, for an audit        a list

A provider says no with ``{"answer": "declined", "reason"}``. Each POST has an ``Idempotency-Key``,
percent-encoded. Money is text, ``"2.55 GBP"``. Errors:

    4xx with ``{"refused": reason}``    the call makes no sense; nothing has happened, nor will it
    any other status below 500, 503     nothing has happened; it may work later
    any other 5xx, no answer            nobody knows
"""

from infrastructure.shop.providers.audit import Audit
from infrastructure.shop.providers.carrier import Carrier
from infrastructure.shop.providers.payment_provider import PaymentProvider

__all__ = ["Audit", "Carrier", "PaymentProvider"]
