"""Migrations: plain SQL in ``migrations/``, each applied once, in the order of their numbers.

All that are missing are applied in one transaction, under a lock, so it is safe to repeat and to
run in two processes at once. An applied migration is never edited, but followed by another: its
hash is kept and compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from psycopg.errors import InsufficientPrivilege

from application.ports import StoreUnavailable
from infrastructure.postgres.connections import Connection, Pool, connected_for_long

LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('headwater'))"
"""The lock for creating and dropping tables, over all processes."""

_DIRECTORY: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Migration:
    """One file of SQL."""

    name: str
    sql: str

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


async def _apply(connection: Connection, known: Sequence[Migration]) -> Sequence[str]:
    await connection.execute(LOCK)
    await connection.execute(_BOOK)
    missing = await _missing(connection, known)  # another process may have come first
    for migration in missing:
        await connection.execute(migration.sql.encode())
        await connection.execute(
            "INSERT INTO headwater_migrations (name, sha256) VALUES (%s, %s)",
            [migration.name, migration.sha256],
        )
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
    found = await connection.execute("SELECT to_regclass('headwater_migrations') IS NOT NULL")
    if await found.fetchone() != (True,):
        return {}
    rows = await connection.execute("SELECT name, sha256 FROM headwater_migrations")
    return dict(await rows.fetchall())


_BOOK: Final = """
CREATE TABLE IF NOT EXISTS headwater_migrations (
    name text COLLATE "C" PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
