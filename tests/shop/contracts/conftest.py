"""The stores of the kit's contract suites, for what the shop keeps in them."""

import pytest

from application.catalogue import Catalogue
from application.shop.service import SHOP
from tests.contracts.conftest import postgres_with_events, real_eventstoredb, stores

__all__ = ["postgres_with_events", "real_eventstoredb", "stores"]


@pytest.fixture
def catalogue() -> Catalogue:
    """How the events of the stores are read."""
    return SHOP.catalogue
