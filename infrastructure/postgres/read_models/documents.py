"""All documents that are kept of a build, some at a time."""

from collections.abc import AsyncIterator
from typing import Final

from psycopg.sql import SQL, Identifier

from application.projections.comparing import Document
from infrastructure.postgres.connections import connected
from infrastructure.postgres.pools import Pool
from infrastructure.postgres.read_models.tables import is_ours, parts_of

_AT_ONCE: Final = 200


async def documents(pool: Pool, table: str) -> AsyncIterator[tuple[str, Document]]:
    """Views and parts as JSON, with their keys. Raises ``StoreUnavailable`` and ``NotOurs``."""
    for name, column in ((table, "view || detail"), (parts_of(table), "part")):
        page = SQL(_PAGE).format(column=SQL(column), table=Identifier(name))
        after = ""
        while True:
            async with connected(pool) as connection:
                if not await is_ours(connection, name):
                    break
                rows = await (await connection.execute(page, [after, _AT_ONCE])).fetchall()
            for key, document in rows:
                yield key, document
            if len(rows) < _AT_ONCE:
                break
            after = rows[-1][0]


_PAGE: Final = "SELECT key, {column} FROM {table} WHERE key > %s ORDER BY key LIMIT %s"
