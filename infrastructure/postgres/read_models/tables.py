"""The tables of builds: what they are called, and how we know that they are ours.

A comment on the table says whose it is. What does not carry it is never written, emptied or
dropped.
"""

from psycopg.sql import SQL, Composed, Identifier, Literal

from application.ports import NotOurs
from infrastructure.postgres.connections import Connection


def parts_of(table: str) -> str:
    """The name of the table with the parts, beside the one with the views."""
    return f"{table}_parts"


async def is_ours(connection: Connection, table: str) -> bool:
    """Whether the table is there, and ours. Raises :class:`NotOurs` when it is another's."""
    found = await connection.execute(
        "SELECT obj_description(to_regclass(%s), 'pg_class'), to_regclass(%s) IS NOT NULL",
        [SQL("{}").format(Identifier(table)).as_string()] * 2,
    )
    row = await found.fetchone()
    assert row is not None  # the question always has an answer
    comment, there = row
    if there and comment != _comment(table):
        raise NotOurs(f"there is a table {table} that headwater has not made: rename or drop it")
    return bool(there)


async def is_there(connection: Connection, name: str) -> bool:
    """Whether there is a table, or an index, of that name, whoever made it."""
    quoted = SQL("{}").format(Identifier(name)).as_string()
    found = await connection.execute("SELECT to_regclass(%s) IS NOT NULL", [quoted])
    return await found.fetchone() == (True,)


def claim_table(table: str) -> Composed:
    """The statement that says that it is ours."""
    return SQL("COMMENT ON TABLE {} IS {}").format(Identifier(table), Literal(_comment(table)))


async def drop_tables(connection: Connection, table: str) -> None:
    """Drop the views and the parts of a build, where they are. Raises :class:`NotOurs`."""
    for name in (table, parts_of(table)):
        if await is_ours(connection, name):
            await connection.execute(SQL("DROP TABLE {}").format(Identifier(name)))


def _comment(table: str) -> str:
    return f"headwater: {table}"
