"""Every provider of the shop: the setting that leads to it, and its port over a connection.

A new provider is one more line in ``SETTINGS``, and one in :func:`outside_over`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from application.shop.ports import Outside
from infrastructure.providers import Connection, HttpConnection, Provider
from infrastructure.shop.providers.audit import Audit
from infrastructure.shop.providers.carrier import CARRIER, Carrier
from infrastructure.shop.providers.payment_provider import PAYMENT_PROVIDER, PaymentProvider
from infrastructure.shop.settings import ShopSettings

SETTINGS: Final[Mapping[str, Provider[Any, Any, Any]]] = {
    "payment_provider_uri": PAYMENT_PROVIDER,
    "carrier_uri": CARRIER,
}
"""Each provider, by the setting that holds its address."""


def outside_over(connections: Mapping[str, Connection[Any, Any, Any]]) -> Outside:
    """The ports over these connections, which are named as their providers are."""
    payment_provider = PaymentProvider(connections[PAYMENT_PROVIDER.name])
    carrier = Carrier(connections[CARRIER.name])
    return Outside(payment_provider, carrier, Audit(payment_provider, carrier))


@asynccontextmanager
async def over_http(uris: Mapping[str, str], patience: float = 10.0) -> AsyncIterator[Outside]:
    """The providers at these addresses, each by its setting.

    A call is given up after ``patience`` seconds. Whether they answer is not asked.
    """
    async with AsyncExitStack() as opened:
        connections: dict[str, Connection[Any, Any, Any]] = {
            provider.name: await opened.enter_async_context(
                HttpConnection(provider, uris[setting], patience=patience)
            )
            for setting, provider in SETTINGS.items()
        }
        yield outside_over(connections)


@asynccontextmanager
async def configured(settings: ShopSettings, patience: float) -> AsyncIterator[Outside]:
    """The providers that these settings name, once all are resolved; as :func:`over_http`."""
    uris = {setting: getattr(settings, setting) for setting in SETTINGS}
    async with over_http(uris, patience) as outside:
        yield outside
