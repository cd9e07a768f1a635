"""What the contracts do not say: connecting, losing the server, and what esdbclient gets wrong."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from application.ports import NO_STREAM, StoreUnavailable
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.eventstoredb import Client, ConsumerGroups, EventStore, Subscriptions
from tests.contracts.made_up import all_of, event, events, name, only, until
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE


@pytest.fixture
async def client(node: NodeProcess) -> AsyncIterator[Client]:
    client = await eventstoredb.connect(node.uri)
    yield client
    await client.close()


class Server:
    """A node that can die and come back on the same port with the same data."""

    def __init__(self, directory: Path) -> None:
        self._directory, self.node = directory, NodeProcess(directory).start()

    async def come_back(self, uri: str) -> None:
        self.node = NodeProcess(self._directory, port=urlsplit(uri).port or 0)
        await asyncio.to_thread(self.node.start)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.node.kill()


async def test_data_comes_back_byte_for_byte(client: Client) -> None:
    """Spaces, the order of keys, numbers as they were written: nothing is touched."""
    store, stream, data = (
        EventStore(client, SAMPLE.catalogue),
        name(),
        b'{"b" : 1.50, "a":1e2, "b" : 2}',
    )

    await store.append(stream, [event(data=data)], NO_STREAM)

    assert [one.data for one in await all_of(store.read(stream))] == [data]


async def test_a_link_in_a_stream_of_ours_leads_nowhere(client: Client) -> None:
    """Another stream's events are never taken for this one's: a link is an event of its own."""
    store, linked, stream = EventStore(client, SAMPLE.catalogue), name(), name()
    await store.append(linked, [event()], NO_STREAM)
    await store.append(stream, [event()], NO_STREAM)
    link = event("$>", f"0@{linked}".encode())
    await store.append(stream, [link], 0)

    read = await all_of(store.read(stream))

    assert [(one.stream, one.version, one.type) for one in read[1:]] == [(stream, 1, "$>")]


@pytest.mark.parametrize(
    "uri",
    ["localhost:2113", "http://localhost:2113", "esdb://", "esdb://x:secret@h:2113?tls=maybe"],
)
async def test_an_unusable_address_is_explained(uri: str) -> None:
    """The refusal says how to write an address, and does not repeat the password."""
    with pytest.raises(ValueError, match=r"esdb://localhost:2113\?tls=false") as refusal:
        await eventstoredb.connect(uri)

    assert "secret" not in str(refusal.value)


async def test_nobody_at_the_address_is_said_at_once(unused_tcp_port: int) -> None:
    """The refusal names the address without its password, and comes by itself."""
    uri = f"esdb://admin:secret@127.0.0.1:{unused_tcp_port}?tls=false"

    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{unused_tcp_port}") as refusal:
            await eventstoredb.connect(uri)

    assert "secret" not in str(refusal.value)


async def test_a_server_that_dies_is_unavailable_until_it_is_back(server: Server) -> None:
    """Whatever is under way or tried meanwhile ends as StoreUnavailable; then all goes on."""
    uri = server.node.uri
    client = await eventstoredb.connect(uri)
    store, type, stream = EventStore(client, SAMPLE.catalogue), name("Noted"), name()
    groups, group = ConsumerGroups(client, SAMPLE.catalogue), name("group")
    await groups.ensure(group, only=only(type))
    await store.append(stream, events(3, type), NO_STREAM)

    async with (
        Subscriptions(client, SAMPLE.catalogue).catch_up(after=None, only=only(type)) as items,
        groups.consume(group, only=only(type)) as deliveries,
        asyncio.timeout(PATIENCE),
    ):
        first, last = await anext(items), await anext(deliveries)
        await asyncio.to_thread(server.node.kill)
        with pytest.raises(StoreUnavailable):
            await _drain(items)
        with pytest.raises(StoreUnavailable):
            await _drain(deliveries)
        with pytest.raises(StoreUnavailable):
            await last.ack()
    with pytest.raises(StoreUnavailable):
        await store.append(stream, [event()], 2)
    with pytest.raises(StoreUnavailable):
        await all_of(store.read(stream))
    with pytest.raises(StoreUnavailable):
        async with Subscriptions(client, SAMPLE.catalogue).catch_up(after=None, only=only(type)):
            pass

    await server.come_back(uri)

    async def is_readable() -> bool:
        try:
            return len(await all_of(store.read(stream))) == 3
        except StoreUnavailable:
            return False

    await until(is_readable)
    await store.append(stream, [event(type)], 2)
    async with Subscriptions(client, SAMPLE.catalogue).catch_up(
        after=None, only=only(type)
    ) as items:
        assert await anext(items) == first
    await client.close()


async def _drain(items: AsyncIterator[object]) -> None:
    async for _ in items:
        pass


async def test_what_was_acknowledged_is_remembered_by_a_server_that_restarts(
    server: Server,
) -> None:
    """Once its checkpoint is written, an acknowledged event does not come back after kill -9."""
    uri = server.node.uri
    client = await eventstoredb.connect(uri)
    store, groups, type, group = (
        EventStore(client, SAMPLE.catalogue),
        ConsumerGroups(client, SAMPLE.catalogue),
        name("Noted"),
        "saga",
    )
    await groups.ensure(group, only=only(type))
    await store.append(stream := name(), events(5, type), NO_STREAM)
    async with groups.consume(group, only=only(type)) as deliveries, asyncio.timeout(PATIENCE):
        for _ in range(5):
            await (await anext(deliveries)).ack()

        async def is_written() -> bool:
            written = store.read(f"$persistentsubscription-$ce-stream::{group}-checkpoint")
            return [json.loads(one.data) for one in await all_of(written)][-1:] == ["4"]

        await until(is_written)
    await client.close()
    await asyncio.to_thread(server.node.kill)
    await server.come_back(uri)

    client = await eventstoredb.connect(uri)
    last = event(type)
    await EventStore(client, SAMPLE.catalogue).append(stream, [last], 4)
    async with (
        ConsumerGroups(client, SAMPLE.catalogue).consume(group, only=only(type)) as deliveries,
        asyncio.timeout(PATIENCE),
    ):
        assert (await anext(deliveries)).recorded.id == last.id
    await client.close()


async def test_a_read_that_is_cut_off_is_no_whole_stream(client: Client) -> None:
    """When the client reconnects for another call, a read is unavailable rather than short."""
    store, stream = EventStore(client, SAMPLE.catalogue), name()
    await store.append(stream, [event(data=b'"' + b"x" * 90_000 + b'"') for _ in range(10)], -1)
    for version in range(9, 400, 10):
        await store.append(
            stream, [event(data=b'"' + b"x" * 90_000 + b'"') for _ in range(10)], version
        )

    read = store.read(stream)
    await anext(read)
    await client.reconnect()

    with pytest.raises(StoreUnavailable):
        await _drain(read)


async def test_cancelling_a_read_cancels_it(client: Client) -> None:
    """The client takes a cancellation for the end of the stream; here it stays a cancellation."""
    store, stream = EventStore(client, SAMPLE.catalogue), name()
    for version in range(-1, 5_000, 1_000):
        await store.append(stream, events(1_000), version)

    async def read() -> int:
        reading.set()
        return len(await all_of(store.read(stream)))

    for delay in range(5):
        reading = asyncio.Event()
        task = asyncio.create_task(read())
        await reading.wait()
        await asyncio.sleep(0.01 * delay)  # wherever it is by then
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_the_system_projections_run(client: Client) -> None:
    """Switched on, once or twice, they sort links into ``$ce-…``, read as the events themselves."""
    store, category = (
        EventStore(client, SAMPLE.catalogue),
        name("order").replace("-", ""),
    )
    await eventstoredb.enable_system_projections(client)
    await eventstoredb.enable_system_projections(client)
    for number in range(3):
        await store.append(f"{category}-{number}", events(2), NO_STREAM)

    async def are_sorted() -> bool:
        return len(await all_of(store.read(f"$ce-{category}"))) == 6

    await until(are_sorted)
    events_of_all = [one async for one in store.read(f"$ce-{category}")]
    events_of_each = [one for n in range(3) async for one in store.read(f"{category}-{n}")]
    assert [one.id for one in events_of_all] == [one.id for one in events_of_each]
    assert [one.id async for one in store.read(f"$ce-{category}", from_version=4)] == [
        one.id for one in events_of_each[4:]
    ]
    assert {one.stream for one in events_of_all} == {f"{category}-{n}" for n in range(3)}
