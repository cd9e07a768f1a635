"""A shop over HTTP, whole, with every port in memory."""

from collections.abc import AsyncIterator

import pytest

from tests.infrastructure.shop import Shop, empty_shop, shop_over


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """An empty shop."""
    async with shop_over(empty_shop()) as shop:
        yield shop
