"""How builds stand: one row for each shard, with its checkpoint, its lease and its report."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from pydantic import TypeAdapter

from application.projections.builds import (
    Build,
    BuildStanding,
    Failure,
    Report,
    Role,
    Shard,
    ShardStanding,
)
from application.projections.status import State
from infrastructure.postgres.pools import Connection
from infrastructure.postgres.read_models.rows import NOTE

FAILURE: Final = TypeAdapter(Failure)


async def standings(connection: Connection, name: str | None) -> Sequence[BuildStanding]:
    """As the port."""
    rows = await (await connection.execute(_STANDINGS, [name, name])).fetchall()
    found = [_standing(build, list(of)) for build, of in groupby(rows, key=lambda row: row[:6])]
    return sorted(found, key=lambda of: (of.build.name, list(Role).index(of.role)))


def _standing(build: Sequence[Any], rows: Sequence[Sequence[Any]]) -> BuildStanding:
    name, version, number, role, shards, paused = build
    return BuildStanding(
        Build(name, version, number),
        Role(role),
        None if paused is None else NOTE.validate_python(paused),
        [_shard(shards, *row[6:-1]) for row in rows],
        rows[0][-1],
    )


def _shard(
    of: int,
    index: int,
    position: int | None,
    events: int | None,
    failure: Any,
    holder: str | None,
    state: str | None,
    missing_since: datetime | None,
    rate: float,
    error: str | None,
    reported_at: datetime | None,
    leased: bool,
) -> ShardStanding:
    return ShardStanding(
        Shard(index, of),
        position,
        events or 0,
        None if failure is None else FAILURE.validate_python(failure),
        Report(holder, State(state), missing_since, rate, error) if holder and state else None,
        reported_at,
        leased,
    )


_STANDINGS: Final = """
SELECT name, version, number, role, shards, paused,
    shard, position, events, failure,
    holder, state, missing_since, rate, error, reported_at,
    coalesce(leased_until > clock_timestamp(), false), clock_timestamp()
FROM projection_builds
JOIN projection_runners USING (build)
LEFT JOIN projection_checkpoints USING (build, shard)
WHERE %s::text IS NULL OR name = %s
ORDER BY name, version, number, shard
"""
