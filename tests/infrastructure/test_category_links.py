"""The links of ``$by_category``: what repairs them on a server, and what cannot be repaired."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from esdbclient import NewEvent, StreamState

from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.eventstoredb import CategoryLinks, Client
from infrastructure.sides import BeyondRepair
from tests.waiting import PATIENCE

BY_CATEGORY = "$by_category"


@pytest.fixture
def node() -> Iterator[NodeProcess]:
    """Of the test's own: what is at fault here is at fault for everybody."""
    with NodeProcess() as node:
        yield node


@pytest.fixture
async def client(node: NodeProcess) -> AsyncIterator[Client]:
    client = await eventstoredb.connect(node.uri)
    yield client
    await client.close()


async def happens(client: Client, stream: str) -> None:
    event = NewEvent("Happened", b"{}")
    await client.append_to_stream(stream, current_version=StreamState.ANY, events=[event])


async def links(client: Client, category: str) -> list[str]:
    found = await client.get_stream(f"$ce-{category}")
    return [link.data.decode() for link in found]


async def status(client: Client) -> str:
    return (await client.get_projection_statistics(name=BY_CATEGORY)).status


async def fault(client: Client, *categories: str) -> None:
    """Somebody writes to the links of each category, which then have to take one more."""
    for category in categories:
        await happens(client, f"{category}-1")
        await happens(client, f"$ce-{category}")
        await happens(client, f"{category}-1")
    async with asyncio.timeout(PATIENCE):
        while await status(client) != "Faulted (Enabled)":
            await happens(client, f"{categories[0]}-1")


async def repaired(client: Client) -> list[str]:
    """What was told."""
    told: list[str] = []
    await asyncio.wait_for(CategoryLinks(client).repair(told.append), PATIENCE)
    return told


@pytest.mark.parametrize("categories", [("transfer",), ("transfer", "account", "card")])
async def test_streams_that_others_have_written_to(
    client: Client, categories: tuple[str, ...]
) -> None:
    """Each is deleted, and then every event is linked, once and in order."""
    await fault(client, *categories)
    told = await repaired(client)
    assert len(told) == len(categories)
    assert await status(client) == "Running"
    for category in categories:
        assert any(f"others have written to $ce-{category}:" in line for line in told)
        found = await links(client, category)
        written = [event async for event in await client.read_stream(f"{category}-1")]
        assert found == [f"{event.stream_position}@{category}-1" for event in written]
    assert await repaired(client) == []


async def test_what_is_off(client: Client) -> None:
    """It is switched on, and links what has come meanwhile."""
    await client.disable_projection(BY_CATEGORY)
    await happens(client, "transfer-1")
    assert await repaired(client) == [f"{BY_CATEGORY} is Stopped: enabling it"]
    assert await links(client, "transfer") == ["0@transfer-1"]


async def test_what_is_at_fault_and_off(client: Client) -> None:
    """Both are mended, one after the other."""
    await fault(client, "transfer")
    await client.disable_projection(BY_CATEGORY)
    enabled, removed = await repaired(client)
    assert "is Stopped/Faulted: enabling it" in enabled
    assert "others have written to $ce-transfer" in removed


async def test_what_runs(client: Client) -> None:
    """It is left alone: nothing is written anew."""
    await happens(client, "transfer-1")
    before = (await client.get_projection_statistics(name=BY_CATEGORY)).version
    assert await repaired(client) == []
    assert (await client.get_projection_statistics(name=BY_CATEGORY)).version == before


async def test_another_fault(client: Client) -> None:
    """What is at fault for something else is beyond repair, which says for what."""
    await client.update_projection(BY_CATEGORY, query="first\n-", emit_enabled=False)
    await happens(client, "transfer-1")
    with pytest.raises(BeyondRepair, match="faulted for another reason: 'emit' is not allowed"):
        await repaired(client)
