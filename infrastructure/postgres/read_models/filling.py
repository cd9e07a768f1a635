"""Which process fills each shard of a build, by a lease, and what stopped it."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb

from application.projections.builds import Build, Failure, Note, Report, Shard
from infrastructure.postgres.connections import connected
from infrastructure.postgres.pools import Pool
from infrastructure.postgres.read_models.rows import NOTE, locked, require_build
from infrastructure.postgres.read_models.standings import FAILURE


class Filling:
    """What a runner's host does, of the :class:`~application.ports.Builds`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(
        self, reports: Mapping[tuple[Build, Shard], Report], *, seconds: float
    ) -> Collection[tuple[Build, Shard]]:
        if not reports:
            return ()
        rows = [
            (build.table, shard.index, of.holder, of.state, of.missing_since, of.rate, of.error)
            for (build, shard), of in reports.items()
        ]
        values = [*(list(column) for column in zip(*rows, strict=True)), seconds]
        async with connected(self._pool) as connection:
            claimed = await connection.execute(_CLAIM, values, prepare=True)
            held = set(await claimed.fetchall())
        return {of for of in reports if (of[0].table, of[1].index) in held}

    async def release(self, build: Build, shard: Shard, holder: str) -> None:
        async with connected(self._pool) as connection:
            await connection.execute(
                "UPDATE projection_runners SET leased_until = NULL "
                "WHERE build = %s AND shard = %s AND holder = %s",
                [build.table, shard.index, holder],
            )

    async def fail(self, build: Build, shard: Shard, failure: Failure) -> None:
        async with locked(self._pool) as connection:
            await require_build(connection, build)
            await connection.execute(
                "UPDATE projection_runners SET failure = %s WHERE build = %s AND shard = %s",
                [Jsonb(FAILURE.dump_python(failure, mode="json")), build.table, shard.index],
            )

    async def skipped(self, build: Build) -> Mapping[UUID, Note]:
        async with connected(self._pool) as connection:
            await require_build(connection, build)
            found = await connection.execute(
                "SELECT event_id, note FROM projection_skips WHERE build = %s", [build.table]
            )
            return {id: NOTE.validate_python(note) for id, note in await found.fetchall()}


_CLAIM: Final = """
WITH claims AS (
    SELECT runners.build, runners.shard, new.*
    FROM unnest(
        %s::text[], %s::int[], %s::text[], %s::text[], %s::timestamptz[], %s::float[], %s::text[]
    ) AS new (of_build, of_shard, holder, state, missing_since, rate, error)
    JOIN projection_runners AS runners ON build = of_build AND shard = of_shard
    ORDER BY build, shard
    FOR UPDATE OF runners  -- in one order everywhere, which prevents deadlocks
)
UPDATE projection_runners AS runners
SET holder = claims.holder, leased_until = clock_timestamp() + make_interval(secs => %s),
    state = claims.state, missing_since = claims.missing_since, rate = claims.rate,
    error = claims.error, reported_at = clock_timestamp()
FROM claims
WHERE runners.build = claims.build AND runners.shard = claims.shard AND (
    runners.holder = claims.holder OR leased_until IS NULL OR leased_until <= clock_timestamp()
)
RETURNING runners.build, runners.shard
"""
