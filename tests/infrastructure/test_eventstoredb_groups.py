"""Consumer groups on EventStoreDB's links: what an earlier release left, and what is missing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from esdbclient import StreamState

from application.ports import NO_STREAM, Delivery
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.eventstoredb import Client, ConsumerGroups, EventStore
from tests.contracts.made_up import events, name, only, until
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE


@pytest.fixture
async def client(node: NodeProcess) -> AsyncIterator[Client]:
    client = await eventstoredb.connect(node.uri)
    yield client
    await client.close()


@pytest.fixture
def category() -> str:
    return name("notes").replace("-", "")


async def take(deliveries: AsyncIterator[Delivery], count: int) -> list[Delivery]:
    taken = list[Delivery]()
    async with asyncio.timeout(PATIENCE):
        while len(taken) < count:
            taken.append(await anext(deliveries))
            await taken[-1].ack()
    return taken


async def test_a_group_of_an_earlier_release_is_replaced(client: Client, category: str) -> None:
    """One on ``$all`` is made anew from the beginning, since it may have lost events, and goes."""
    store, groups, group, type = (
        EventStore(client, SAMPLE.catalogue),
        ConsumerGroups(client, SAMPLE.catalogue),
        name("g"),
        name("T"),
    )
    await client.create_subscription_to_all(group)
    await store.append(f"{category}-1", new := events(3, type), NO_STREAM)

    await groups.ensure(group, only=only(type, category))

    async with groups.consume(group, only=only(type, category)) as deliveries:
        assert [one.recorded.id for one in await take(deliveries, 3)] == [one.id for one in new]
    there = [one for one in await client.list_subscriptions() if one.group_name == group]
    assert [one.event_source for one in there] == [f"$ce-{category}"]


async def test_links_to_what_is_gone_are_done_and_counted(client: Client, category: str) -> None:
    """Streams that were truncated or deleted leave links without events, and to metadata."""
    gone, type, group = list[str](), name("T"), name("g")
    store, groups = (
        EventStore(client, SAMPLE.catalogue),
        ConsumerGroups(client, SAMPLE.catalogue, report=gone.append),
    )
    for number in range(3):
        await store.append(f"{category}-{number}", events(4, type), NO_STREAM)
    await _until_linked(store, category, 12)
    await client.set_stream_metadata(
        f"{category}-0", metadata={"$tb": 3}, current_version=StreamState.NO_STREAM
    )
    await client.delete_stream(f"{category}-1", current_version=3)
    await groups.ensure(group, only=only(type, category))

    async with groups.consume(group, only=only(type, category), buffer=3) as deliveries:
        left = await take(deliveries, 5)

        async def nothing_is_in_flight() -> bool:
            return (await groups.info(group)).in_flight == 0

        await until(nothing_is_in_flight)
    assert [(one.recorded.stream[-1], one.recorded.version) for one in left] == [
        ("0", 3),
        *(("2", version) for version in range(4)),
    ]
    assert gone == [group] * 7


async def _until_linked(store: EventStore, category: str, count: int) -> None:
    async def are_linked() -> bool:
        return len([one async for one in store.read(f"$ce-{category}")]) >= count

    await until(are_linked)


async def test_a_category_that_is_new_in_a_release_is_joined(client: Client, category: str) -> None:
    """The group is there for one category, and a consumer wants another one besides."""
    store, groups, group, type = (
        EventStore(client, SAMPLE.catalogue),
        ConsumerGroups(client, SAMPLE.catalogue),
        name("g"),
        name("T"),
    )
    first, both = only(type, category), only(type, category) | only(type, f"{category}more")
    await groups.ensure(group, only=first)
    await groups.ensure(group, only=both)
    for wanted in (category, f"{category}more"):
        await store.append(f"{wanted}-1", events(2, type), NO_STREAM)

    async with groups.consume(group, only=both) as deliveries:
        seen = {delivery.recorded.stream for delivery in await take(deliveries, 4)}
    assert seen == {f"{category}-1", f"{category}more-1"}
    await groups.delete(group)
    assert group not in {one.group_name for one in await client.list_subscriptions()}


async def test_a_category_that_was_not_ensured_is_unknown(client: Client, category: str) -> None:
    """Nothing would ever come of it, so the consumer is told, and leaves the others again."""
    groups, group = ConsumerGroups(client, SAMPLE.catalogue), name("g")
    await groups.ensure(group, only=only("T", category))
    more = only("T", category) | only("T", f"{category}more")

    with pytest.raises(KeyError, match=group):
        async with groups.consume(group, only=more):
            pass


async def test_a_projection_that_is_off_is_a_hindrance(fresh_node: NodeProcess) -> None:
    """What is wrong is told, with the page that says what to do. A consumer that begins enables
    it, and then nothing is told."""
    client = await eventstoredb.connect(fresh_node.uri)
    groups, wanted = (
        ConsumerGroups(client, SAMPLE.catalogue),
        only("TransferRequested", "transfer"),
    )
    await groups.ensure("g", only=wanted)
    await _until_hindered(groups, hindered=False)

    await client.disable_projection("$by_category")
    told = await _until_hindered(groups, hindered=True)
    assert "$by_category is stopped" in told
    assert "docs/operations/runbooks.md#events-that-reach-no-consumer-group" in told

    await groups.ensure("g", only=wanted)
    await _until_hindered(groups, hindered=False)
    await client.close()


async def test_a_projection_that_is_faulted_is_a_hindrance(fresh_node: NodeProcess) -> None:
    """Anybody's event among the links stops them for all categories; beginning again does not
    help, and the reason says which stream it was."""
    client = await eventstoredb.connect(fresh_node.uri)
    store, groups, wanted = (
        EventStore(client, SAMPLE.catalogue),
        ConsumerGroups(client, SAMPLE.catalogue),
        only("TransferRequested", "transfer"),
    )
    await groups.ensure("g", only=wanted)
    await _until_hindered(groups, hindered=False)

    await store.append("$ce-transfer", events(1), NO_STREAM)
    await store.append("transfer-1", events(1, "TransferRequested"), NO_STREAM)
    told = await _until_hindered(groups, hindered=True)
    assert "$by_category is faulted" in told
    assert "$ce-transfer" in told
    await client.close()


async def _until_hindered(groups: ConsumerGroups, *, hindered: bool) -> str:
    found: list[str | None] = []

    async def is_so() -> bool:
        found.append(await groups.fault())
        return (found[-1] is not None) is hindered

    await until(is_so)
    return found[-1] or ""
