"""The keys of data subjects: rows, each wrapped by a master key."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from secrets import token_bytes
from typing import Final

from application.ports.keys import KEY_BYTES, Forgotten, require_subject, subjects_in
from infrastructure.master_keys import MasterKeys, Wrapped
from infrastructure.postgres.connections import Connections, connected
from infrastructure.postgres.pools import Connection

_AT_ONCE: Final = 500  # rows


class KeyStore:
    """The :class:`~application.ports.KeyStore` of one database. A commit waits for the disk."""

    def __init__(self, pool: Connections, master: MasterKeys, at_once: int = _AT_ONCE) -> None:
        """``at_once``: the number of rows that are read, or wrapped anew, in one statement."""
        self._pool, self._master, self._at_once = pool, master, at_once

    async def keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        async with connected(self._pool) as connection:
            rows = await (await connection.execute(_FOUND, [subjects_in(subjects)])).fetchall()
        return {
            subject: self._master.unwrap(subject, Wrapped(master, data))
            for subject, master, data in rows
        }

    async def key(self, subject: str) -> bytes:
        require_subject(subject)
        if (found := await self._found(subject)) is not None:
            return found
        new = self._master.wrap(subject, token_bytes(KEY_BYTES))
        async with self._durably() as connection:
            await connection.execute(_NOTE, [new.master])
            await connection.execute(_MAKE, [subject, new.master, new.data])
        kept = await self._found(subject)  # that of another process, perhaps
        assert kept is not None  # no row is ever deleted
        return kept

    async def destroy(self, subject: str) -> bool:
        require_subject(subject)
        async with self._durably() as connection:
            return (await connection.execute(_DESTROY, [subject])).rowcount == 1

    async def forgotten(self) -> AsyncIterator[str]:
        after = ""
        while True:
            async with connected(self._pool) as connection:
                rows = await (
                    await connection.execute(_FORGOTTEN, [after, self._at_once])
                ).fetchall()
            for (subject,) in rows:
                yield subject
            if len(rows) < self._at_once:
                return
            after = rows[-1][0]

    async def masters(self) -> Collection[str]:
        """The fingerprints of the master keys by which keys are wrapped."""
        async with connected(self._pool) as connection:
            found = await connection.execute("SELECT fingerprint FROM master_keys")
            return [fingerprint for (fingerprint,) in await found.fetchall()]

    async def rewrap(self) -> AsyncGenerator[int, None]:
        """Wrap all keys by the newest master key. Yields how many were done, after each step.

        Can be stopped and repeated. Raises ``NoMasterKey`` for one that cannot be unwrapped.
        """
        while True:
            async with self._durably() as connection:
                found = await connection.execute(_OTHERS, [self._master.newest, self._at_once])
                rows = await found.fetchall()
                if not rows:
                    await connection.execute(_UNUSED, [self._master.newest])
                    return
                await connection.execute(_NOTE, [self._master.newest])
                for subject, master, data in rows:
                    anew = self._master.rewrap(subject, Wrapped(master, data))
                    await connection.execute(_REPLACE, [anew.master, anew.data, subject])
            yield len(rows)

    async def _found(self, subject: str) -> bytes | None:
        async with connected(self._pool) as connection:
            row = await (await connection.execute(_ONE, [subject])).fetchone()
        if row is None:
            return None
        master, data = row
        if data is None:
            raise Forgotten(subject)
        return self._master.unwrap(subject, Wrapped(master, data))

    @asynccontextmanager
    async def _durably(self) -> AsyncIterator[Connection]:
        async with connected(self._pool) as connection, connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = on")
            yield connection


_ONE: Final = "SELECT master, wrapped FROM data_keys WHERE subject = %s"
_FOUND: Final = """
SELECT subject, master, wrapped FROM data_keys
WHERE subject = ANY(%s) AND wrapped IS NOT NULL
"""
_NOTE: Final = "INSERT INTO master_keys (fingerprint) VALUES (%s) ON CONFLICT DO NOTHING"
_MAKE: Final = """
INSERT INTO data_keys (subject, master, wrapped) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_DESTROY: Final = """
INSERT INTO data_keys AS held (subject, forgotten_at) VALUES (%s, clock_timestamp())
ON CONFLICT (subject) DO UPDATE SET master = NULL, wrapped = NULL, forgotten_at = clock_timestamp()
WHERE held.forgotten_at IS NULL
"""
_FORGOTTEN: Final = """
SELECT subject FROM data_keys WHERE wrapped IS NULL AND subject > %s ORDER BY subject LIMIT %s
"""
_OTHERS: Final = """
SELECT subject, master, wrapped FROM data_keys WHERE wrapped IS NOT NULL AND master <> %s
ORDER BY subject LIMIT %s FOR UPDATE
"""
_REPLACE: Final = "UPDATE data_keys SET master = %s, wrapped = %s WHERE subject = %s"
_UNUSED: Final = """
DELETE FROM master_keys WHERE fingerprint <> %s
AND NOT EXISTS (SELECT FROM data_keys WHERE master = fingerprint)
"""
