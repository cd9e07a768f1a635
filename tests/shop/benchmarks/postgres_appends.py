"""Appends to PostgreSQL beside bare asyncpg, and in a small table beside a large one.

    python -m tests.shop.benchmarks.postgres_appends [EVENTS]

Bare asyncpg inserts the same rows, prepared, into a table with the same columns, indexes and
checks, and keeps nothing of what a store promises: no expected version, no triggers. Without an
argument the large table has 200,000 events; with 1,000,000 it takes a few minutes. asyncpg is an
optional extra; without it this says how to get it.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from statistics import median
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from application.messages import NewEvent
from application.ports import NO_STREAM
from application.shop.service import SHOP
from infrastructure import postgres
from tests.contracts.made_up import event, name
from tests.servers import empty_schema, postgres_server

CLIENTS: Final = 64
CONNECTIONS: Final = 16  # of asyncpg; more make it no faster
ROUNDS: Final = 5
ALONE, EACH = 300, 50  # appends of one client, and of each of many
SMALL, LARGE = 10_000, 200_000
DATA: Final = b'{"note":"' + b"x" * 230 + b'"}'

Insert = Callable[[NewEvent], Awaitable[object]]


def main(large: int = LARGE) -> None:
    """Measure and print."""
    if find_spec("asyncpg") is None:
        print("Not measured. For it: .venv/bin/pip install '.[bench]'")
        return
    with postgres_server() as server, filled(server, SMALL) as small:
        print(f"{'':40}{'here':>12}{'asyncpg':>12}{'ratio':>8}{'aim':>8}")
        asyncio.run(beside_asyncpg(small))
        with filled(server, large) as grown:
            print(f"{'':40}{f'{SMALL:,}':>12}{f'{large:,}':>12}{'ratio':>8}{'aim':>8}")
            asyncio.run(small_and_large(small, grown))
            print(f"{'bytes on disk, indexes and all, an event':40}{size(grown) / large:24,.0f}")


@contextmanager
def filled(server: str, count: int) -> Iterator[str]:
    """The address of a schema with so many events, twenty in each stream."""
    with empty_schema(server) as uri:
        asyncio.run(migrated(uri))
        with psycopg.connect(uri, autocommit=True) as connection:
            for start in range(0, count, 50_000):
                connection.execute(_FILL, [start, min(start + 50_000, count) - 1])
            connection.execute("ANALYZE events")
            connection.execute("CHECKPOINT")
        yield uri


def size(uri: str) -> int:
    with psycopg.connect(uri) as connection:
        found = connection.execute("SELECT pg_total_relation_size('events')").fetchone()
    assert found is not None  # the question always has an answer
    return int(found[0])


async def migrated(uri: str) -> None:
    async with postgres.durable_pool(uri) as pool:
        await postgres.migrate(pool)


async def beside_asyncpg(uri: str) -> None:
    async with postgres.durable_pool(uri) as pool, bare(uri) as theirs:
        ours = appending(pool)
        for what, work, appends in WORKS:
            pairs = [(await work(ours), await work(theirs)) for _ in range(ROUNDS)]
            row(f"{what}, a second", [(appends / a, appends / b) for a, b in pairs], "≥ 0.60")


async def small_and_large(small: str, large: str) -> None:
    async with postgres.durable_pool(small) as few, postgres.durable_pool(large) as many:
        for what, work, appends in WORKS:
            pairs = [
                (await work(appending(few)), await work(appending(many))) for _ in range(ROUNDS)
            ]
            micro = [(small / appends * 1e6, large / appends * 1e6) for small, large in pairs]
            row(f"{what}, µs each", [(large, small) for small, large in micro], "about 1")


def row(what: str, pairs: Sequence[tuple[float, float]], aim: str) -> None:
    """The medians of both, and of their ratio."""
    first, second = (median(side) for side in zip(*pairs, strict=True))
    ratio = median(one / other for one, other in pairs)
    print(f"{what:40}{first:12,.0f}{second:12,.0f}{ratio:8.2f}{aim:>8}")


def appending(pool: postgres.Pool) -> Insert:
    store = postgres.EventStore(pool, SHOP.catalogue)
    return lambda event: store.append(name("note"), [event], NO_STREAM)


@asynccontextmanager
async def bare(uri: str) -> AsyncIterator[Insert]:
    """Insert over a pool of asyncpg's."""
    import asyncpg

    at = conninfo_to_dict(uri)
    schema = str(at["options"]).rpartition("=")[2]
    async with asyncpg.create_pool(
        host=at.get("host"),
        port=at.get("port"),
        user=at.get("user"),
        password=at.get("password"),
        database=at.get("dbname"),
        server_settings={"search_path": schema},
        max_size=CONNECTIONS,
    ) as pool:
        await pool.execute("CREATE TABLE bare (LIKE events INCLUDING ALL)")

        async def insert(event: NewEvent) -> None:
            metadata = event.metadata.to_json().decode()
            values = (name("note"), "note", 0, event.id, event.type, 1, event.data.decode())
            await pool.fetchval(_BARE, *values, metadata)

        yield insert


async def one_client(insert: Insert) -> float:
    """Seconds."""
    events = [event(data=DATA) for _ in range(ALONE)]
    started = time.perf_counter()
    for one in events:
        await insert(one)
    return time.perf_counter() - started


async def many_clients(insert: Insert) -> float:
    """Seconds."""
    waiting = iter([event(data=DATA) for _ in range(CLIENTS * EACH)])

    async def client() -> None:
        for one in waiting:
            await insert(one)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return time.perf_counter() - started


WORKS: Final = (
    ("appends of one client", one_client, ALONE),
    ("appends of 64 clients", many_clients, CLIENTS * EACH),
)
_FILL: Final = """
INSERT INTO events (
    stream_id, stream_type, version, event_id, event_type, schema_version, event_data, metadata
)
SELECT 'order-' || md5((number / 20)::text), 'order', number %% 20, gen_random_uuid(), 'Noted', 1,
    jsonb_build_object('note', repeat('x', 230)),
    jsonb_build_object(
        '$correlationId', gen_random_uuid(), '$causationId', gen_random_uuid(),
        'command_id', gen_random_uuid(), 'schema_version', 1, 'actor', 'a benchmark',
        'occurred_at', now()
    )
FROM generate_series(%s::int, %s::int) AS number
"""
_BARE: Final = """
INSERT INTO bare (
    stream_id, stream_type, version, event_id, event_type, schema_version, event_data, metadata
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING global_position
"""

if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
