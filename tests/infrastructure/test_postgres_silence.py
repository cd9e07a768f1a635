"""A connection to PostgreSQL that goes silent without closing is given up, and all goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest

from application.ports import NO_STREAM, StoreUnavailable
from infrastructure import postgres
from infrastructure.signalling import wait_for
from tests.contracts.made_up import all_of, event, name
from tests.infrastructure.postgres_log import Log, log_at
from tests.silent_proxy import SilentProxy, Streams, silent_proxy
from tests.waiting import until, until_true

_SILENCE: Final = 0.5  # seconds, instead of many


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """Of an empty corner of a server; the fixture ``postgres`` has the package's name."""
    return str(request.getfixturevalue("postgres"))


def reaching(uri: str) -> Callable[[], Awaitable[Streams]]:
    """What opens a connection to the server at that address, by its socket or over TCP."""
    parts = urlsplit(uri)
    directory = parse_qs(parts.query).get("host")

    async def reach() -> Streams:
        if directory:
            return await asyncio.open_unix_connection(f"{directory[0]}/.s.PGSQL.5432")
        return await asyncio.open_connection(parts.hostname, parts.port or 5432)

    return reach


@asynccontextmanager
async def proxied(uri: str) -> AsyncIterator[tuple[SilentProxy, str]]:
    """A proxy to that server, and the address that leads there through it."""
    parts = urlsplit(uri)
    options = {key: value[0] for key, value in parse_qs(parts.query).items() if key != "host"}
    user = parts.netloc.rpartition("@")[0]
    async with silent_proxy(reaching(uri)) as (proxy, port):
        there = parts._replace(netloc=f"{user}@127.0.0.1:{port}", query=urlencode(options))
        yield proxy, urlunsplit(there)


async def answers(work: Callable[[], Awaitable[object]]) -> bool:
    """Whether it is done now; being told that the server is unavailable is a no."""
    try:
        await work()
    except StoreUnavailable:
        return False
    return True


async def test_appends_and_reads_go_on(address: str) -> None:
    """Whatever was under way is given up in time, and every later call has a new connection."""
    async with proxied(address) as (proxy, uri), log_at(uri, silence=_SILENCE) as log:
        await asyncio.gather(*(log.events.append(name(), [event()], NO_STREAM) for _ in range(20)))
        proxy.fall_silent()

        stream = name()
        await until_true(lambda: answers(lambda: log.events.append(stream, [event()], NO_STREAM)))
        assert len(await all_of(log.events.read(stream))) == 1
        before = proxy.connections
        await asyncio.gather(*(log.events.append(name(), [event()], NO_STREAM) for _ in range(20)))
        assert proxy.connections <= before + 10, "the silent connections are gone from the pool"


async def test_followers_hear_of_new_events(address: str) -> None:
    """The connection that listens for notifications asks now and then whether it is heard."""
    async with proxied(address) as (proxy, uri), log_at(uri, net=3600, silence=_SILENCE) as log:
        await until_true(lambda: hears(log))
        lost = log.wake_up.lost
        proxy.fall_silent()
        await until(lambda: log.wake_up.lost > lost)

        await until_true(lambda: hears(log))


async def hears(log: Log) -> bool:
    """Whether a new event rings, within a second."""
    change = log.wake_up.next
    if await answers(lambda: log.events.append(name(), [event()], NO_STREAM)):
        await wait_for(change, 1.0)
    return change.is_set()


async def test_read_models_are_written_again(address: str) -> None:
    """A pool whose connections are checked does not wait for silent ones, one after the other."""
    async with proxied(address) as (proxy, uri), postgres.pool(uri, silence=_SILENCE) as pool:
        await postgres.migrate(pool)
        builds = postgres.Builds(pool)
        await asyncio.gather(*(builds.standings() for _ in range(10)))
        proxy.fall_silent()

        await until_true(lambda: answers(builds.standings))
        assert list(await builds.standings()) == []
