"""PostgreSQL's event store as its tests use it: over a pool of its own, and past its back."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, Connection

from application.messages import RecordedEvent
from application.ports import Progress
from infrastructure import postgres
from tests.contracts.made_up import only
from tests.sample.service import SAMPLE

Seen = list[RecordedEvent | Progress]


@dataclass(frozen=True)
class Log:
    """What one process holds of the store."""

    pool: postgres.Pool
    events: postgres.EventStore
    subscriptions: postgres.Subscriptions
    horizon: postgres.Horizon
    wake_up: postgres.WakeUp

    async def readable(self) -> int:
        return (await self.horizon.readable())[0]

    async def follow(
        self,
        seen: Seen,
        enough: Callable[[], bool],
        *,
        after: int | None = None,
        type: str = "Noted",
    ) -> None:
        """Put what comes into ``seen``, until that is ``enough``."""
        async with self.subscriptions.catch_up(after=after, only=only(type)) as items:
            async for item in items:
                seen.append(item)
                if enough():
                    return


@asynccontextmanager
async def log_at(
    uri: str,
    *,
    size: int = 10,
    patience: float = 5.0,
    net: float = 1.0,
    silence: float = 12.0,
) -> AsyncIterator[Log]:
    """The store at ``uri``, migrated; readers look after ``net`` seconds, called or not."""
    async with postgres.durable_pool(uri, size=size, patience=patience, silence=silence) as pool:
        await postgres.migrate(pool)
        async with postgres.wake_up(uri, silence) as wake_up:
            horizon = postgres.Horizon(pool)
            subscriptions = postgres.Subscriptions(
                pool, wake_up, horizon, SAMPLE.catalogue, net=net
            )
            yield Log(
                pool, postgres.EventStore(pool, SAMPLE.catalogue), subscriptions, horizon, wake_up
            )


def only_events(seen: Seen) -> list[RecordedEvent]:
    return [item for item in seen if isinstance(item, RecordedEvent)]


INSERT = """
INSERT INTO events (
    stream_id, stream_type, version, event_id, event_type, schema_version, event_data, metadata
)
SELECT %s, split_part(%s, '-', 1), n, gen_random_uuid(), 'Noted', 1, '{}', '{}'
FROM generate_series(%s::int, %s::int) AS n
RETURNING global_position
"""
"""Events past the adapter: what another program, or a person, writes into the table."""


def inserted(
    connection: Connection[Any], stream: str, *, version: int = 0, count: int = 1
) -> list[int]:
    """Insert events in the connection's transaction; their positions."""
    rows = connection.execute(INSERT, [stream, stream, version, version + count - 1]).fetchall()
    return [position for (position,) in rows]


async def inserted_into(
    connection: AsyncConnection[Any], stream: str, *, version: int = 0, count: int = 1
) -> list[int]:
    """The same, from asyncio code."""
    found = await connection.execute(INSERT, [stream, stream, version, version + count - 1])
    return [position for (position,) in await found.fetchall()]
