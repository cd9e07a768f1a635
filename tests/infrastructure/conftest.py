"""A bank over HTTP, whole: every port in memory, and where it matters, on each event store."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from infrastructure.container import wired
from tests.sample.client import Bank, bank_over, empty_bank
from tests.sample.program import BANK
from tests.stores import settings_of


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    """An empty bank."""
    async with bank_over(empty_bank()) as bank:
        yield bank


@pytest.fixture
async def bank_on_servers(servers: Mapping[str, str], tmp_path: Path) -> AsyncIterator[Bank]:
    """An empty bank on each event store."""
    async with bank_over(wired(BANK, settings_of(servers, home=tmp_path))) as bank:
        yield bank
