"""The rows of builds: which there are, in which role, and what operators did to them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from application.ports import WrongRole
from application.projections.builds import Build, Note, Role
from infrastructure.postgres.connections import connected
from infrastructure.postgres.migrating import LOCK
from infrastructure.postgres.pools import Connection, Pool

NOTE: Final = TypeAdapter(Note)


@asynccontextmanager
async def locked(pool: Pool) -> AsyncIterator[Connection]:
    """One transaction, without any other that changes builds. It is on disk when it ends."""
    async with connected(pool) as connection, connection.transaction():
        await connection.execute(LOCK)
        await connection.execute("SET LOCAL synchronous_commit = on")
        yield connection


async def roles(connection: Connection, name: str) -> Mapping[Role, Build]:
    """The builds of a read model, by what they are there for."""
    found = await connection.execute(
        "SELECT role, name, version, number FROM projection_builds WHERE name = %s", [name]
    )
    return {Role(role): Build(*build) for role, *build in await found.fetchall()}


async def require_build(connection: Connection, build: Build) -> Role:
    """Its role. Raises :class:`WrongRole` when there is no such build."""
    found = await connection.execute(
        "SELECT role FROM projection_builds WHERE build = %s", [build.table]
    )
    if (row := await found.fetchone()) is None:
        raise WrongRole(f"there is no build {build.table}")
    return Role(row[0])


async def record(connection: Connection, action: str, build: Build, note: Note) -> None:
    """Remember what an operator did."""
    await connection.execute(
        "INSERT INTO projection_actions (name, version, number, action, note) "
        "VALUES (%s, %s, %s, %s, %s)",
        [build.name, build.version, build.number, action, as_json(note)],
    )


def as_json(note: Note) -> Jsonb:
    """As it is stored."""
    return Jsonb(NOTE.dump_python(note, mode="json"))
