"""Read models and the store they were filled from belong together."""

import pytest

from infrastructure.container import opened, wired
from infrastructure.embedded.eventstoredb.process import NodeProcess
from infrastructure.settings import EventStore, InvalidSettings, Settings
from tests.infrastructure.shop import shop_over

NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ("eventstoredb", "postgres", "order_summary_v1.* come from another store"),
        ("postgres", "eventstoredb", "has events of its own: set EVENT_STORE=postgres"),
    ],
)
async def test_a_database_that_was_filled_from_one_store_refuses_the_other(
    fresh_node: NodeProcess, postgres: str, first: EventStore, then: EventStore, told: str
) -> None:
    """Checkpoints of one mean nothing in the other: events would be passed by without a word."""

    def over(store: EventStore) -> Settings:
        return Settings(
            event_store=store,
            eventstoredb_uri=None if store == "postgres" else fresh_node.uri,
            postgres_uri=postgres,
            payment_provider_uri=NOWHERE,
            carrier_uri=NOWHERE,
        )

    async with shop_over(wired(over(first))) as shop:
        assert (await shop.get(await shop.placed())).status_code == 200

    with pytest.raises(InvalidSettings, match=told):
        async with opened(wired(over(then))):
            pass
    async with shop_over(wired(over(first))):
        pass  # as before
