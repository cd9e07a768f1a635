"""The settings of the shop, beside those of the kit."""

from typing import ClassVar

from infrastructure.settings import Settings
from infrastructure.settings.values import HttpUri, Token


class ShopSettings(Settings):
    """Payment provider and carrier"""

    once_unprefixed: ClassVar = (
        *Settings.once_unprefixed,
        *("payment_provider_uri", "carrier_uri", "carrier_token"),
    )

    payment_provider_uri: HttpUri | None = None
    """The payment provider's address; unset: a simulated provider."""
    carrier_uri: HttpUri | None = None
    """The carrier's address; unset: a simulated carrier."""
    carrier_token: Token | None = None
    """The token that the carrier has to send with its notices, as `{api_token}`; unset: notices are
    refused."""
