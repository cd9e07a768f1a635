"""A shop over HTTP, whole: every port in memory, and where it matters, on each event store."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from infrastructure.container import wired
from infrastructure.shop.program import PROGRAM
from tests.shop.infrastructure.shop import Shop, empty_shop, shop_over
from tests.shop.stores import NOWHERE, settings_of


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """An empty shop."""
    async with shop_over(empty_shop()) as shop:
        yield shop


@pytest.fixture
async def shop_on_servers(servers: Mapping[str, str], tmp_path: Path) -> AsyncIterator[Shop]:
    """An empty shop on each event store, with providers that do not answer."""
    settings = settings_of({**servers, **NOWHERE}, home=tmp_path)
    async with shop_over(wired(PROGRAM, settings)) as shop:
        yield shop
