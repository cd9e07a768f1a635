"""The stores of the kit's contract suites, for what the shop keeps in them."""

from tests.contracts.conftest import postgres_with_events, real_eventstoredb, stores

__all__ = ["postgres_with_events", "real_eventstoredb", "stores"]
