"""Every provider of the shop over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from application.shop.ports import Outside
from infrastructure.providers import HttpConnection
from infrastructure.shop.providers.audit import Audit
from infrastructure.shop.providers.carrier import CARRIER, Carrier
from infrastructure.shop.providers.payment_provider import PAYMENT_PROVIDER, PaymentProvider
from infrastructure.shop.settings import ShopSettings


@asynccontextmanager
async def outside(
    payment_provider_uri: str, carrier_uri: str, patience: float = 10.0
) -> AsyncIterator[Outside]:
    """The providers at these addresses. A call is given up after ``patience`` seconds.

    Whether they answer is not asked.
    """
    async with (
        HttpConnection(PAYMENT_PROVIDER, payment_provider_uri, patience=patience) as payments,
        HttpConnection(CARRIER, carrier_uri, patience=patience) as parcels,
    ):
        payment_provider, carrier = PaymentProvider(payments), Carrier(parcels)
        yield Outside(payment_provider, carrier, Audit(payment_provider, carrier))


@asynccontextmanager
async def configured(settings: ShopSettings, patience: float) -> AsyncIterator[Outside]:
    """The providers that these settings name; otherwise as :func:`outside`."""
    uris = settings.payment_provider_uri, settings.carrier_uri
    assert uris[0] is not None  # resolving has seen to it
    assert uris[1] is not None
    async with outside(uris[0], uris[1], patience) as there:
        yield there
