"""What the shop's contract suites run on: the kit's stores, and the shop's providers."""

from collections.abc import AsyncIterator

import pytest

from application.catalogue import Catalogue
from application.shop.service import SHOP
from infrastructure.shop.simulated_providers import DECLARED
from tests.contracts.conftest import (
    dynamodb_with_events,  # only: dynamodb_events
    postgres_with_events,  # only: postgres_events
    real_eventstoredb,  # only: eventstoredb
    simulated_at,
    stores,
)
from tests.shop.outside import Outside, in_memory, over_http

__all__ = [
    "dynamodb_with_events",  # only: dynamodb_events
    "postgres_with_events",  # only: postgres_events
    "real_eventstoredb",  # only: eventstoredb
    "simulated_at",
    "stores",
]


@pytest.fixture
def catalogue() -> Catalogue:
    """How the events of the stores are read."""
    return SHOP.catalogue


@pytest.fixture(params=["memory", "http (double)"])
async def outside(request: pytest.FixtureRequest) -> AsyncIterator[Outside]:
    """A payment provider and a carrier; others' payments and parcels may be in their records."""
    if request.param == "memory":
        async with in_memory() as outside:
            yield outside
        return
    async with over_http(request.getfixturevalue("simulated_at")(DECLARED)) as outside:
        yield outside
