"""The shop over the stores that settings name."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from infrastructure.container import Container
from infrastructure.settings.reading import parse
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.settings import ShopSettings
from tests import stores

NOWHERE = dict.fromkeys(
    ("HEADWATER_PAYMENT_PROVIDER_URI", "HEADWATER_CARRIER_URI"), "http://127.0.0.1:1"
)
"""Providers that do not answer."""


def settings_of(settings: Mapping[str, str], **others: Any) -> ShopSettings:
    """What a process makes of these settings, by their names in the environment."""
    return parse(ShopSettings, settings, **others)


def opened(settings: Mapping[str, str]) -> AbstractAsyncContextManager[Container]:
    """What is read and written there."""
    return stores.opened(settings, PROGRAM)
