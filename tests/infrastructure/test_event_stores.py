"""Which store it is, and that read models and the store they were filled from belong together."""

from collections.abc import Sequence

import pytest

from application.ports import NO_STREAM, StoreFacts
from application.ports import EventStore as EventStorePort
from application.shop.service import SHOP
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb, memory
from infrastructure.container import opened_to_serve, wired
from infrastructure.settings import EventStore, InvalidSettings
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.settings import ShopSettings
from tests.contracts.made_up import event, put_foreign
from tests.shop.infrastructure.shop import shop_over

NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ("eventstoredb", "postgres", "order_summary_v1.* come from another store"),
        ("postgres", "eventstoredb", "has events of its own: set HEADWATER_EVENT_STORE=postgres"),
    ],
)
async def test_a_database_that_was_filled_from_one_store_refuses_the_other(
    fresh_node: NodeProcess, postgres: str, first: EventStore, then: EventStore, told: str
) -> None:
    """Checkpoints of one mean nothing in the other: events would be passed by without a word."""

    def over(store: EventStore) -> ShopSettings:
        return ShopSettings(
            event_store=store,
            eventstoredb_uri=None if store == "postgres" else fresh_node.uri,
            postgres_uri=postgres,
            payment_provider_uri=NOWHERE,
            carrier_uri=NOWHERE,
        )

    async with shop_over(wired(PROGRAM, over(first))) as shop:
        assert (await shop.get(await shop.placed())).status_code == 200

    with pytest.raises(InvalidSettings, match=told):
        async with opened_to_serve(wired(PROGRAM, over(then))):
            pass
    async with shop_over(wired(PROGRAM, over(first))):
        pass  # as before


async def test_a_store_is_known_by_the_first_event_that_is_ours(fresh_node: NodeProcess) -> None:
    """What other programs wrote before, under a type or a category of ours, is not counted."""
    client = await eventstoredb.connect(fresh_node.uri)
    kept = memory.EventStore(SHOP.catalogue)
    stores: Sequence[tuple[EventStorePort, StoreFacts]] = (
        (kept, memory.Subscriptions(kept)),
        (
            eventstoredb.EventStore(client, SHOP.catalogue),
            eventstoredb.Subscriptions(client, SHOP.catalogue),
        ),
    )
    for events, facts in stores:
        await put_foreign(events, "order", "OrderPlaced")
        assert await facts.store_id() is None
        first = event("OrderPlaced")
        await events.append("order-1", [first], NO_STREAM)
        assert await facts.store_id() == str(first.id)
    await client.close()
