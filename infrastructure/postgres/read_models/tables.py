"""The tables of builds: what they are called, and how we know that they are ours.

A comment on the table marks it as ours. A table without it is never written, emptied or
dropped.
"""

from collections.abc import Iterator
from typing import Any, Final

from psycopg.sql import SQL, Composed, Identifier, Literal

from application.ports import NotOurs
from application.projections.projection import Projection
from infrastructure.postgres.pools import Connection
from infrastructure.postgres.read_models.fields import field_of, number_of


def parts_of(table: str) -> str:
    """The name of the table with the parts, beside the one with the views."""
    return f"{table}_parts"


async def create_tables(connection: Connection, table: str, projection: Projection[Any]) -> None:
    """Create what a build needs and is not there yet. Raises :class:`NotOurs`."""
    for name, definition in ((table, _TABLE), (parts_of(table), _PARTS)):
        if not await is_ours(connection, name):
            await connection.execute(SQL(definition).format(table=Identifier(name)))
            await connection.execute(_claim(name))
    for what, on in _indexes(projection):
        name = f"{table}_{what}"
        if not await _is_there(connection, name):  # CREATE … IF NOT EXISTS needs an owner even then
            create = SQL("CREATE INDEX {} ON {} {}")
            await connection.execute(create.format(Identifier(name), Identifier(table), on))


async def is_ours(connection: Connection, table: str) -> bool:
    """Whether the table is there, and ours. Raises :class:`NotOurs` when it is another's."""
    found = await connection.execute(
        "SELECT obj_description(to_regclass(%s), 'pg_class'), to_regclass(%s) IS NOT NULL",
        [SQL("{}").format(Identifier(table)).as_string()] * 2,
    )
    row = await found.fetchone()
    assert row is not None  # the query always returns a row
    comment, there = row
    if there and comment != _comment(table):
        raise NotOurs(f"there is a table {table} that is not a read model's: rename or drop it")
    return bool(there)


async def _is_there(connection: Connection, name: str) -> bool:
    """Whether there is a table, or an index, of that name, ours or not."""
    quoted = SQL("{}").format(Identifier(name)).as_string()
    found = await connection.execute("SELECT to_regclass(%s) IS NOT NULL", [quoted])
    return await found.fetchone() == (True,)


def _claim(table: str) -> Composed:
    """The statement that marks it as ours."""
    return SQL("COMMENT ON TABLE {} IS {}").format(Identifier(table), Literal(_comment(table)))


async def drop_tables(connection: Connection, table: str) -> None:
    """Drop the views and the parts of a build, where they are. Raises :class:`NotOurs`."""
    for name in (table, parts_of(table)):
        if await is_ours(connection, name):
            await connection.execute(SQL("DROP TABLE {}").format(Identifier(name)))


def _indexes(projection: Projection[Any]) -> Iterator[tuple[str, Composed]]:
    """What each is called, and what it is on."""
    for field in projection.indexed:
        yield field, SQL("({}, key)").format(field_of(field))
    if projection.ranked is not None:
        yield "words", SQL("USING gin (words)").format()
        yield "rank", SQL("((-{}), key)").format(number_of(projection.ranked))


def _comment(table: str) -> str:
    return f"headwater: {table}"


_TABLE: Final = """
CREATE TABLE {table} (
    key text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    view jsonb NOT NULL,
    detail jsonb NOT NULL,
    words tsvector NOT NULL
)
"""

_PARTS: Final = """
CREATE TABLE {table} (
    key text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    part jsonb NOT NULL
)
"""
