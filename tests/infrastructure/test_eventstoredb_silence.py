"""A connection to EventStoreDB that goes silent without closing, while new ones work."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from application.ports import NO_STREAM, StoreUnavailable
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.eventstoredb import Client, ConsumerGroups, EventStore, Subscriptions
from tests.contracts.made_up import all_of, event, events, name, only
from tests.sample.service import SAMPLE
from tests.silent_proxy import SilentProxy, silent_proxy
from tests.waiting import PATIENCE, until_true

SOON = "keepAliveInterval=500&keepAliveTimeout=500"  # ms, so that a test need not wait


@pytest.fixture
async def proxied(node: NodeProcess) -> AsyncIterator[tuple[SilentProxy, Client]]:
    port = urlsplit(node.uri).port
    async with silent_proxy(lambda: asyncio.open_connection("127.0.0.1", port)) as (proxy, reached):
        client = await eventstoredb.connect(f"esdb://127.0.0.1:{reached}?tls=false&{SOON}")
        yield proxy, client
        await client.close()


async def test_a_silent_connection_is_given_up(proxied: tuple[SilentProxy, Client]) -> None:
    """Whoever follows hears of it without sending anything; then everything works again."""
    proxy, client = proxied
    store, groups, type, group = (
        EventStore(client, SAMPLE.catalogue),
        ConsumerGroups(client, SAMPLE.catalogue),
        name("T"),
        name("g"),
    )
    stream = name()
    await groups.ensure(group, only=only(type))
    await store.append(stream, events(2, type), NO_STREAM)

    async with (
        Subscriptions(client, SAMPLE.catalogue).catch_up(after=None, only=only(type)) as following,
        groups.consume(group, only=only(type)) as deliveries,
        asyncio.timeout(PATIENCE),
    ):
        await anext(following)
        await anext(deliveries)
        proxy.fall_silent()
        with pytest.raises(StoreUnavailable):
            await _drain(following)
        with pytest.raises(StoreUnavailable):
            await _drain(deliveries)

    async def answers() -> bool:
        try:
            return len(await all_of(store.read(stream))) == 2
        except StoreUnavailable:
            return False

    await until_true(answers)
    await store.append(stream, [event(type)], 1)


async def _drain(items: AsyncIterator[object]) -> None:
    async for _ in items:
        pass


async def test_a_client_pings_its_server(node: NodeProcess) -> None:
    """Under the names that gRPC knows, often enough to heal within 30 seconds; a connection string
    may say otherwise."""
    client = await eventstoredb.connect(node.uri)
    other = await eventstoredb.connect(f"{node.uri}&keepAliveInterval=2000&keepAliveTimeout=700")
    options, others = dict(client.grpc_options), dict(other.grpc_options)
    await client.close()
    await other.close()

    ping, answer = options["grpc.keepalive_time_ms"], options["grpc.keepalive_timeout_ms"]
    assert int(ping) + int(answer) <= 20_000
    assert options["grpc.keepalive_permit_without_calls"] == 1
    assert "grpc.keepalive_ms" not in others
    assert (others["grpc.keepalive_time_ms"], others["grpc.keepalive_timeout_ms"]) == (2000, 700)


@pytest.mark.parametrize("preferred", ["follower", "random", "readonlyreplica"])
async def test_only_the_leader_will_do(node: NodeProcess, preferred: str) -> None:
    """What was appended is not on a follower yet: a command would decide on what is outdated."""
    with pytest.raises(ValueError, match=f"NodePreference={preferred} cannot be used"):
        await eventstoredb.connect(f"{node.uri}&NodePreference={preferred}")
