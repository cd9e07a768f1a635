"""The builds of read models in PostgreSQL: which there are, and which of them answers queries.

Every method is one transaction. Those that change anything but a lease wait for one another, so
there are never two live builds of a read model, and never none.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from psycopg.sql import SQL, Identifier

from application.ports import WrongRole
from application.projections.builds import Build, BuildStanding, Note, Role
from application.projections.projection import Projection
from infrastructure.postgres.connections import connected
from infrastructure.postgres.migrating import LOCK
from infrastructure.postgres.pools import Connection
from infrastructure.postgres.read_models.filling import Filling
from infrastructure.postgres.read_models.operating import Operating
from infrastructure.postgres.read_models.rows import locked, record, require_build, roles
from infrastructure.postgres.read_models.standings import standings
from infrastructure.postgres.read_models.tables import drop_tables


class Builds(Filling, Operating):
    """The :class:`~application.ports.Builds` of one database."""

    async def register(self, projections: Collection[Projection[Any]]) -> None:
        async with connected(self._pool) as connection, connection.transaction():
            await connection.execute(LOCK)
            for projection in sorted(projections, key=lambda declared: -declared.version):
                if not await roles(connection, projection.name):
                    await _add(connection, projection, 1, Role.LIVE)

    async def standings(self, name: str | None = None) -> Sequence[BuildStanding]:
        async with connected(self._pool) as connection:
            return await standings(connection, name)

    async def begin(self, projection: Projection[Any], note: Note) -> Build:
        async with locked(self._pool) as connection:
            begun = (await roles(connection, projection.name)).get(Role.BUILDING)
            if begun and begun.version != projection.version:
                raise WrongRole(f"{begun.table} has been begun before: continue it, or drop it")
            if begun:
                return begun
            number = await _next_number(connection, projection)
            build = await _add(connection, projection, number, Role.BUILDING)
            await drop_tables(connection, build.table)  # left by one that is not registered
            await record(connection, "deploy", build, note)
            return build

    async def swap(self, build: Build, note: Note) -> None:
        async with locked(self._pool) as connection:
            if (role := await require_build(connection, build)) is not Role.BUILDING:
                raise WrongRole(f"{build.table} is {role}, not building")
            known = await roles(connection, build.name)
            if previous := known.get(Role.PREVIOUS):
                raise WrongRole(f"{previous.table} is kept for a rollback: drop it first")
            await _make_live(connection, build, known.get(Role.LIVE))
            await record(connection, "swap", build, note)

    async def rollback(self, name: str, note: Note) -> Build:
        async with locked(self._pool) as connection:
            known = await roles(connection, name)
            if (previous := known.get(Role.PREVIOUS)) is None:
                raise WrongRole(f"{name} has no previous build to go back to")
            await _make_live(connection, previous, known.get(Role.LIVE))
            await record(connection, "rollback", previous, note)
            return previous

    async def drop(self, build: Build, note: Note) -> None:
        async with locked(self._pool) as connection:
            if await require_build(connection, build) is Role.LIVE:
                raise WrongRole(f"{build.table} is live: it answers queries")
            await drop_tables(connection, build.table)
            for table in ("builds", "checkpoints", "runners", "skips"):
                delete = SQL("DELETE FROM {} WHERE build = %s")
                await connection.execute(
                    delete.format(Identifier(f"projection_{table}")), [build.table]
                )
            await record(connection, "drop", build, note)


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
    """A number that no build has had: another store may still have views of a dropped one."""
    found = await connection.execute(_NEXT_NUMBER, [projection.name, projection.version] * 2)
    row = await found.fetchone()
    assert row is not None  # an aggregate always has a row
    return int(row[0])


async def _make_live(connection: Connection, build: Build, before: Build | None) -> None:
    """Let the build answer queries; the one that did so before is the previous one from now on."""
    for one, role in ((build, Role.LIVE), (before, Role.PREVIOUS)):
        if one:
            await connection.execute(
                "UPDATE projection_builds SET role = %s WHERE build = %s", [role, one.table]
            )


_NEXT_NUMBER: Final = """
SELECT coalesce(max(number), 0) + 1 FROM (
    SELECT number FROM projection_builds WHERE name = %s AND version = %s
    UNION ALL SELECT number FROM projection_actions WHERE name = %s AND version = %s
) AS used
"""

_BUILD: Final = """
INSERT INTO projection_builds (name, version, number, build, role, shards)
VALUES (%s, %s, %s, %s, %s, %s)
"""
