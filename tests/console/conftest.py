"""A bank with a console, and a page as a test reads it."""

from collections.abc import AsyncIterator

import pytest

from tests.sample.client import Bank, bank_over, empty_bank


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    """A bank in memory, whose read models follow."""
    async with bank_over(empty_bank()) as bank:
        yield bank
