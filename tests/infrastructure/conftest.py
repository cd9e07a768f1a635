"""A shop over HTTP, for the tests of routes that every service has."""

from tests.shop.infrastructure.conftest import shop, shop_on_servers

__all__ = ["shop", "shop_on_servers"]
