"""The books of the read models in PostgreSQL: builds, leases, and what operators did.

Every method is one transaction, by the database's clock. Who changes anything but a lease is alone
with the books, so there are never two live builds of a read model, and never none.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import groupby
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from application.ports import WrongRole
from application.projections.builds import (
    Action,
    Build,
    Failure,
    Note,
    Report,
    Role,
    Shard,
    ShardStanding,
    Standing,
)
from application.projections.projection import Projection
from application.projections.status import State
from infrastructure.postgres.connections import Connection, Pool, connected
from infrastructure.postgres.migrating import LOCK
from infrastructure.postgres.read_models.tables import drop_tables

_NOTE: Final = TypeAdapter(Note)
_FAILURE: Final = TypeAdapter(Failure)
_Roles = Mapping[Role, Build]


class Builds:
    """The :class:`~application.ports.Builds` of one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def register(self, projections: Collection[Projection[Any]]) -> None:
        async with connected(self._pool) as connection, connection.transaction():
            await connection.execute(LOCK)
            for projection in sorted(projections, key=lambda declared: -declared.version):
                if not await _roles(connection, projection.name):
                    await _add(connection, projection, 1, Role.LIVE)

    async def standings(self, name: str | None = None) -> Sequence[Standing]:
        async with connected(self._pool) as connection:
            rows = await (await connection.execute(_STANDINGS, [name, name])).fetchall()
        found = [
            _standing(build, list(shards)) for build, shards in groupby(rows, key=lambda r: r[:6])
        ]
        return sorted(found, key=lambda of: (of.build.name, list(Role).index(of.role)))

    async def claim(self, build: Build, shard: Shard, report: Report, *, seconds: float) -> bool:
        said = [report.state, report.missing_since, report.rate, report.error]
        values = [report.holder, seconds, *said, build.table, shard.index, report.holder]
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
        async with self._locked() as connection:
            await _role(connection, build)
            await connection.execute(
                "UPDATE projection_runners SET failure = %s WHERE build = %s AND shard = %s",
                [Jsonb(_FAILURE.dump_python(failure, mode="json")), build.table, shard.index],
            )

    async def retry(self, build: Build, note: Note) -> None:
        await self._operate("retry", build, note, _FORGET, [build.table])

    async def skip(self, build: Build, event_id: UUID, note: Note) -> None:
        async with self._locked() as connection:
            await _role(connection, build)
            forgotten = await connection.execute(
                f"{_FORGET} AND failure ->> 'event_id' = %s", [build.table, str(event_id)]
            )
            if not forgotten.rowcount:
                raise WrongRole(f"{build.table} has not stopped at the event {event_id}")
            await connection.execute(_SKIP, [build.table, event_id, _note(note)])
            await _record(connection, "skip", build, note)

    async def skipped(self, build: Build) -> Mapping[UUID, Note]:
        async with connected(self._pool) as connection:
            await _role(connection, build)
            found = await connection.execute(
                "SELECT event_id, note FROM projection_skips WHERE build = %s", [build.table]
            )
            return {id: _NOTE.validate_python(note) for id, note in await found.fetchall()}

    async def pause(self, build: Build, note: Note) -> None:
        await self._operate("pause", build, note, _PAUSE, [_note(note), build.table])

    async def resume(self, build: Build, note: Note) -> None:
        await self._operate("resume", build, note, _PAUSE, [None, build.table])

    async def begin(self, projection: Projection[Any], note: Note) -> Build:
        async with self._locked() as connection:
            begun = (await _roles(connection, projection.name)).get(Role.BUILDING)
            if begun and begun.version != projection.version:
                raise WrongRole(f"{begun.table} has been begun before: go on with it, or drop it")
            if begun:
                return begun
            number = await _next_number(connection, projection)
            build = await _add(connection, projection, number, Role.BUILDING)
            await drop_tables(connection, build.table)  # of one that is in no book any more
            await _record(connection, "deploy", build, note)
            return build

    async def swap(self, build: Build, note: Note) -> None:
        async with self._locked() as connection:
            role, roles = await _role(connection, build), await _roles(connection, build.name)
            if role is not Role.BUILDING:
                raise WrongRole(f"{build.table} is {role}, not building")
            if previous := roles.get(Role.PREVIOUS):
                raise WrongRole(f"{previous.table} is kept for a rollback: drop it first")
            await _change_roles(connection, {build: Role.LIVE}, roles.get(Role.LIVE))
            await _record(connection, "swap", build, note)

    async def rollback(self, name: str, note: Note) -> Build:
        async with self._locked() as connection:
            roles = await _roles(connection, name)
            if (previous := roles.get(Role.PREVIOUS)) is None:
                raise WrongRole(f"{name} has no previous build to go back to")
            await _change_roles(connection, {previous: Role.LIVE}, roles.get(Role.LIVE))
            await _record(connection, "rollback", previous, note)
            return previous

    async def drop(self, build: Build, note: Note) -> None:
        async with self._locked() as connection:
            if await _role(connection, build) is Role.LIVE:
                raise WrongRole(f"{build.table} is live: it answers queries")
            await drop_tables(connection, build.table)
            for books in ("builds", "checkpoints", "runners", "skips"):
                delete = SQL("DELETE FROM {} WHERE build = %s")
                await connection.execute(
                    delete.format(Identifier(f"projection_{books}")), [build.table]
                )
            await _record(connection, "drop", build, note)

    async def actions(self, name: str) -> Sequence[Action]:
        async with connected(self._pool) as connection:
            found = await connection.execute(
                "SELECT action, name, version, number, note FROM projection_actions "
                "WHERE name = %s ORDER BY id DESC",
                [name],
            )
            return [
                Action(action, Build(*build), _NOTE.validate_python(note))
                for action, *build, note in await found.fetchall()
            ]

    async def _operate(
        self, action: str, build: Build, note: Note, update: LiteralString, values: Sequence[object]
    ) -> None:
        async with self._locked() as connection:
            await _role(connection, build)
            await connection.execute(update, values)
            await _record(connection, action, build, note)

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[Connection]:
        """One transaction, alone with the books; what it wrote is on disk when it ends."""
        async with connected(self._pool) as connection, connection.transaction():
            await connection.execute(LOCK)
            await connection.execute("SET LOCAL synchronous_commit = on")
            yield connection


async def _roles(connection: Connection, name: str) -> _Roles:
    found = await connection.execute(
        "SELECT role, name, version, number FROM projection_builds WHERE name = %s", [name]
    )
    return {Role(role): Build(*build) for role, *build in await found.fetchall()}


async def _role(connection: Connection, build: Build) -> Role:
    """Raises :class:`WrongRole` when there is no such build."""
    found = await connection.execute(
        "SELECT role FROM projection_builds WHERE build = %s", [build.table]
    )
    if (row := await found.fetchone()) is None:
        raise WrongRole(f"there is no build {build.table}")
    return Role(row[0])


async def _add(
    connection: Connection, projection: Projection[Any], number: int, role: Role
) -> Build:
    build = Build(projection.name, projection.version, number)
    values = [build.name, build.version, number, build.table, role, projection.shards]
    await connection.execute(_BUILD, values)
    await connection.execute(
        "INSERT INTO projection_runners (build, shard) SELECT %s, generate_series(0, %s - 1)",
        [build.table, projection.shards],
    )
    return build


async def _next_number(connection: Connection, projection: Projection[Any]) -> int:
    found = await connection.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM projection_builds "
        "WHERE name = %s AND version = %s",
        [projection.name, projection.version],
    )
    row = await found.fetchone()
    assert row is not None  # an aggregate always has a row
    return int(row[0])


async def _change_roles(
    connection: Connection, roles: Mapping[Build, Role], live: Build | None
) -> None:
    """Give these builds their roles; the one that was live is the previous one from now on."""
    changes = {**roles, **({live: Role.PREVIOUS} if live else {})}
    for build, role in changes.items():
        await connection.execute(
            "UPDATE projection_builds SET role = %s WHERE build = %s", [role, build.table]
        )


async def _record(connection: Connection, action: str, build: Build, note: Note) -> None:
    await connection.execute(
        "INSERT INTO projection_actions (name, version, number, action, note) "
        "VALUES (%s, %s, %s, %s, %s)",
        [build.name, build.version, build.number, action, _note(note)],
    )


def _note(note: Note) -> Jsonb:
    return Jsonb(_NOTE.dump_python(note, mode="json"))


def _standing(build: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Standing:
    name, version, number, role, shards, paused = build
    return Standing(
        Build(name, version, number),
        Role(role),
        None if paused is None else _NOTE.validate_python(paused),
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
        None if failure is None else _FAILURE.validate_python(failure),
        Report(holder, State(state), missing_since, rate, error) if holder and state else None,
        reported_at,
        leased,
    )


_BUILD: Final = """
INSERT INTO projection_builds (name, version, number, build, role, shards)
VALUES (%s, %s, %s, %s, %s, %s)
"""

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

_CLAIM: Final = """
UPDATE projection_runners
SET holder = %s, leased_until = clock_timestamp() + make_interval(secs => %s),
    state = %s, missing_since = %s, rate = %s, error = %s, reported_at = clock_timestamp()
WHERE build = %s AND shard = %s
    AND (holder = %s OR leased_until IS NULL OR leased_until <= clock_timestamp())
"""

_FORGET: Final = "UPDATE projection_runners SET failure = NULL WHERE build = %s"
_PAUSE: Final = "UPDATE projection_builds SET paused = %s WHERE build = %s"
_SKIP: Final = """
INSERT INTO projection_skips (build, event_id, note) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
