"""Providers outside: how any of them is declared, and spoken to over HTTP::

    POST  {uri}/{call}      the fields of the call         {"answer": …}
    GET   {uri}/calls?key=  what came of a call            as that call; {"answer": null}: nothing
    GET   {uri}             the records, for an audit      a list

An answer is ``"done"``, ``"declined"`` with a ``"reason"``, or what the provider grants: the name
of its class in lower case, with its fields. Each POST has an ``Idempotency-Key``, percent-encoded.
Errors:

    4xx with ``{"refused": reason}``    the call makes no sense; nothing has happened, nor will it
    any other status below 500, 503     nothing has happened; it may work later
    any other 5xx, no answer            the outcome is unknown
"""

from infrastructure.providers.http import HttpConnection
from infrastructure.providers.provider import Call, Connection, Provider, done, granted

__all__ = ["Call", "Connection", "HttpConnection", "Provider", "done", "granted"]
