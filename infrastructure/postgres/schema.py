"""The tables that keep the read models' books; those with views come and go with their build."""

from typing import Final

from infrastructure.postgres.connections import Pool, connected

LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('headwater'))"
"""Taken by whoever creates or drops tables: one at a time, over all processes."""


async def prepare(pool: Pool) -> None:
    """Create what is missing; harmless when others do the same just now."""
    async with connected(pool) as connection, connection.transaction():
        await connection.execute(LOCK)
        for table in (_BUILDS, _CHECKPOINTS, _RUNNERS, _SKIPS, _ACTIONS):
            await connection.execute(table)


_BUILDS: Final = """
CREATE TABLE IF NOT EXISTS projection_builds (
    name text COLLATE "C" NOT NULL,
    version int NOT NULL,
    number int NOT NULL,
    build text COLLATE "C" NOT NULL UNIQUE,  -- the table with its views
    role text NOT NULL,
    shards int NOT NULL,
    paused jsonb,  -- the operator's note, while it is paused
    PRIMARY KEY (name, version, number),
    UNIQUE (name, role) DEFERRABLE INITIALLY DEFERRED
)
"""

_CHECKPOINTS: Final = """
CREATE TABLE IF NOT EXISTS projection_checkpoints (
    build text COLLATE "C" NOT NULL,
    shard int NOT NULL,
    position bigint NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (build, shard)
)
"""

_RUNNERS: Final = """
CREATE TABLE IF NOT EXISTS projection_runners (
    build text COLLATE "C" NOT NULL,
    shard int NOT NULL,
    holder text,
    leased_until timestamptz,
    state text,
    missing_since timestamptz,
    rate double precision,
    error text,
    reported_at timestamptz,
    failure jsonb,
    PRIMARY KEY (build, shard)
)
"""

_SKIPS: Final = """
CREATE TABLE IF NOT EXISTS projection_skips (
    build text COLLATE "C" NOT NULL,
    event_id uuid NOT NULL,
    note jsonb NOT NULL,
    PRIMARY KEY (build, event_id)
)
"""

_ACTIONS: Final = """
CREATE TABLE IF NOT EXISTS projection_actions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    version int NOT NULL,
    number int NOT NULL,
    action text NOT NULL,
    note jsonb NOT NULL
)
"""
