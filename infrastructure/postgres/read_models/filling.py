"""Which process fills each shard of a build, by a lease, and what stopped it."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb

from application.projections.builds import Build, Failure, Note, Report, Shard
from infrastructure.postgres.connections import Pool, connected
from infrastructure.postgres.read_models.rows import NOTE, locked, require_build
from infrastructure.postgres.read_models.standings import FAILURE


class Filling:
    """What a runner's host does, of the :class:`~application.ports.Builds`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, build: Build, shard: Shard, report: Report, *, seconds: float) -> bool:
        reported = [report.state, report.missing_since, report.rate, report.error]
        values = [report.holder, seconds, *reported, build.table, shard.index, report.holder]
        async with connected(self._pool) as connection:
            return (await connection.execute(_CLAIM, values)).rowcount == 1

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
UPDATE projection_runners
SET holder = %s, leased_until = clock_timestamp() + make_interval(secs => %s),
    state = %s, missing_since = %s, rate = %s, error = %s, reported_at = clock_timestamp()
WHERE build = %s AND shard = %s
    AND (holder = %s OR leased_until IS NULL OR leased_until <= clock_timestamp())
"""
