"""Orders that are taken while no saga worker runs, and a store that is restarted meanwhile."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infrastructure.container import wired
from infrastructure.processes.service import reacting
from infrastructure.settings import EventStore
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests import restarted
from tests.contracts.made_up import put_foreign
from tests.restarted import How
from tests.shop.infrastructure.shop import LINE, Shop, shop_over
from tests.shop.stores import settings_of
from tests.waiting import until_true


@asynccontextmanager
async def _servers(
    event_store: EventStore, postgres: str, directory: Path
) -> AsyncIterator[tuple[Mapping[str, str], restarted.Restarted]]:
    # only: postgres_events
    if event_store == "postgres":
        async with restarted.postgres(directory) as server:
            yield (
                {"HEADWATER_EVENT_STORE": "postgres", "HEADWATER_POSTGRES_URI": server.uri},
                server,
            )
    # end: postgres_events
    # only: eventstoredb
    if event_store == "eventstoredb":
        async with restarted.node(directory) as server:
            yield (
                {"HEADWATER_EVENTSTOREDB_URI": server.uri, "HEADWATER_POSTGRES_URI": postgres},
                server,
            )
    # end: eventstoredb


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_what_is_ordered_while_no_worker_runs_is_fulfilled(
    event_store: EventStore, postgres: str, tmp_path: Path, how: How
) -> None:
    """The API takes orders, the workers are away, the event store is restarted: once the workers
    are back, every order is fulfilled."""
    async with (
        _servers(event_store, postgres, tmp_path) as (servers, server),
        SimulatedProviders() as outside,
    ):
        addresses = {
            **servers,
            "HEADWATER_PAYMENT_PROVIDER_URI": outside.uris["payment_provider_uri"],
            "HEADWATER_CARRIER_URI": outside.uris["carrier_uri"],
        }
        container = wired(PROGRAM, settings_of(addresses, home=tmp_path / "home"))
        async with shop_over(container) as shop:
            await shop.post(f"/stock/{LINE['sku']}/receipts", {"quantity": 100})
            async with reacting(container):  # they have been there, and known groups are theirs
                await _until_fulfilled(shop, [await shop.placed()])

            orders = [await shop.placed() for _ in range(5)]
            for _ in range(20):
                await put_foreign(container.streams(), "order", "OrderPlaced")
            await server.ends(how)

            async with reacting(container):
                await _until_fulfilled(shop, orders)


async def _until_fulfilled(shop: Shop, orders: Sequence[str]) -> None:
    async def are_fulfilled() -> bool:
        answers = [await shop.http.get(f"{path}/fulfilment") for path in orders]
        return all(answer.json().get("status") == "completed" for answer in answers)

    await until_true(are_fulfilled)
