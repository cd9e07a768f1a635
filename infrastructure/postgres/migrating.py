"""Migrations: plain SQL in ``migrations/``, each applied once, in the order of their numbers.

All that are missing are applied in one transaction, under a lock, so it is safe to repeat and to
run in two processes at once. An applied migration is never edited, but followed by another: its
hash is kept and compared.

A migration that only makes indexes does not stop writers: on a table with rows, its indexes are
made concurrently before that transaction, which then finds them and only notes it down.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from psycopg.errors import InsufficientPrivilege

from application.ports import StoreUnavailable
from infrastructure.postgres.connections import connected_for_long
from infrastructure.postgres.pools import Connection, Pool

LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('headwater'))"
"""The lock for creating and dropping tables, over all processes."""

_INDEX: Final = re.compile(r"CREATE INDEX (?P<name>\w+) (?P<rest>ON \w+ .+)", re.DOTALL)
_DIRECTORY: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Migration:
    """One file of SQL."""

    name: str
    sql: str

    @property
    def indexes(self) -> Sequence[tuple[str, str]]:
        """Name and statement of each index, if it makes nothing else; without ``CREATE INDEX``."""
        sql = "\n".join(line for line in self.sql.splitlines() if not line.startswith("--"))
        found = [_INDEX.fullmatch(one.strip()) for one in sql.split(";") if one.strip()]
        made = [(one["name"], one["rest"]) for one in found if one]
        return made if len(made) == len(found) else ()

    @property
    def sha256(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def migrations() -> Sequence[Migration]:
    """All that this release knows, the oldest first."""
    return [Migration(path.stem, path.read_text()) for path in sorted(_DIRECTORY.glob("*.sql"))]


async def migrate(pool: Pool, known: Sequence[Migration] | None = None) -> Sequence[str]:
    """Apply what is missing; the names of what was applied now.

    Raises :class:`StoreUnavailable`, also when this role lacks the rights, or when an applied
    migration differs from this release's.
    """
    known = migrations() if known is None else known
    async with connected_for_long(pool) as connection:
        await _require_utf8(connection)
        try:
            if not await _missing(connection, known):
                return []
            await _index_concurrently(connection, await _missing(connection, known))
            async with connection.transaction():
                return await _apply(connection, known)
        except InsufficientPrivilege as error:
            raise StoreUnavailable(
                f"PostgreSQL: {error}; run `migrate` as a role that may "
                "create tables, and let it GRANT this one its rights"
            ) from error


async def _require_utf8(connection: Connection) -> None:
    found = await connection.execute(
        "SELECT current_database(), current_setting('server_encoding')"
    )
    row = await found.fetchone()
    assert row is not None  # the query always returns a row
    database, encoding = row
    if encoding != "UTF8":
        raise StoreUnavailable(
            f"PostgreSQL: the database {database} has the encoding {encoding}, which cannot keep "
            "every text: use one that was created with ENCODING 'UTF8' "
            "(and TEMPLATE template0)"
        )


async def _index_concurrently(connection: Connection, missing: Sequence[Migration]) -> None:
    """Make their indexes on tables that have rows, while others write. Safe to repeat: one that
    was broken off is invalid, and made again. One process at a time: it asks for the lock again
    and again, since waiting inside a query would keep the other one from its end."""
    indexes = [index for migration in missing for index in migration.indexes]
    while indexes and not await _is_true(connection, _TRY_LOCK, []):  # noqa: ASYNC110 - not announced
        await asyncio.sleep(_LOOK_EVERY)
    try:
        await _make(connection, indexes)
    finally:
        if indexes:
            await connection.execute(_UNLOCK)


async def _make(connection: Connection, indexes: Sequence[tuple[str, str]]) -> None:
    for name, rest in indexes:
        table = rest.split()[1]
        if not await _is_true(connection, _HAS_ROWS, [table]):
            continue
        if await _is_true(connection, _IS_INVALID, [name]):
            await connection.execute(f"DROP INDEX CONCURRENTLY {name}".encode())
        made = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} {rest}"
        await connection.execute(made.encode())


async def _is_true(connection: Connection, question: str, values: Sequence[str]) -> bool:
    found = await connection.execute(question.encode(), values)
    return await found.fetchone() == (True,)


async def _apply(connection: Connection, known: Sequence[Migration]) -> Sequence[str]:
    await connection.execute(LOCK)
    await connection.execute(_BOOK)
    missing = await _missing(connection, known)  # another process may have come first
    for migration in missing:
        sql = migration.sql
        for name, _ in migration.indexes:
            sql = sql.replace(f"CREATE INDEX {name}", f"CREATE INDEX IF NOT EXISTS {name}")
        await connection.execute(sql.encode())
        await connection.execute(_NOTE, [migration.name, migration.sha256])
    return [migration.name for migration in missing]


async def _missing(connection: Connection, known: Sequence[Migration]) -> Sequence[Migration]:
    applied = await _applied(connection)
    for migration in known:
        if applied.get(migration.name, migration.sha256) != migration.sha256:
            raise StoreUnavailable(
                f"PostgreSQL: the migration {migration.name} is not the one that was applied here: "
                "leave it as it was, and add another one"
            )
    return [migration for migration in known if migration.name not in applied]


async def _applied(connection: Connection) -> Mapping[str, str]:
    found = await connection.execute(_IS_THERE)
    if await found.fetchone() != (True,):
        return {}
    rows = await connection.execute(_APPLIED)
    return dict(await rows.fetchall())


_IS_THERE: Final = "SELECT to_regclass('headwater_migrations') IS NOT NULL"
_APPLIED: Final = "SELECT name, sha256 FROM headwater_migrations"
_NOTE: Final = "INSERT INTO headwater_migrations (name, sha256) VALUES (%s, %s)"
_LOOK_EVERY: Final = 0.2  # seconds
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('headwater indexes'))"
_UNLOCK: Final = "SELECT pg_advisory_unlock(hashtext('headwater indexes'))"
_HAS_ROWS: Final = "SELECT coalesce(pg_relation_size(to_regclass(%s)), 0) > 0"
_IS_INVALID: Final = """
SELECT coalesce(bool_or(NOT indisvalid), false) FROM pg_index WHERE indexrelid = to_regclass(%s)
"""
_BOOK: Final = """
CREATE TABLE IF NOT EXISTS headwater_migrations (
    name text COLLATE "C" PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
