"""Which store it is, and that read models and the store they were filled from belong together."""

from collections.abc import Sequence

import pytest

from application.ports import NO_STREAM, StoreFacts
from application.ports import EventStore as EventStorePort
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb, memory
from infrastructure.connecting import opened_to_serve
from infrastructure.container import wired
from infrastructure.settings import EventStore, InvalidSettings, Settings
from tests.contracts.made_up import event, put_foreign
from tests.sample.client import bank_over
from tests.sample.program import BANK
from tests.sample.service import SAMPLE


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ("eventstoredb", "postgres", "transfer_summary_v1.* come from another store"),
        ("postgres", "eventstoredb", "has events of its own: set HEADWATER_EVENT_STORE=postgres"),
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
        )

    async with bank_over(wired(BANK, over(first))) as bank:
        assert (await bank.get(await bank.requested())).status_code == 200

    with pytest.raises(InvalidSettings, match=told):
        async with opened_to_serve(wired(BANK, over(then))):
            pass
    async with bank_over(wired(BANK, over(first))):
        pass  # as before


async def test_a_store_is_known_by_the_first_event_that_is_ours(fresh_node: NodeProcess) -> None:
    """What other programs wrote before, under a type or a category of ours, is not counted."""
    client = await eventstoredb.connect(fresh_node.uri)
    kept = memory.EventStore(SAMPLE.catalogue)
    stores: Sequence[tuple[EventStorePort, StoreFacts]] = (
        (kept, memory.Subscriptions(kept)),
        (
            eventstoredb.EventStore(client, SAMPLE.catalogue),
            eventstoredb.Subscriptions(client, SAMPLE.catalogue),
        ),
    )
    for events, facts in stores:
        await put_foreign(events, "transfer", "TransferRequested")
        assert await facts.store_id() is None
        first = event("TransferRequested")
        await events.append("transfer-1", [first], NO_STREAM)
        assert await facts.store_id() == str(first.id)
    await client.close()
