"""Queries of the log."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from embedded_eventstoredb.records import Linkable, Record, Stream

PAGE: Final = 256
"""Maximum records of a page."""

_PAGE_BYTES: Final = 1 << 17

_STREAM = "SELECT key, name, last_version, max_count, max_age, truncate_before FROM streams"
_RECORD = "position, {}, version, id, type, is_json, created, metadata, data FROM records"
_IN_STREAM = f"SELECT {_RECORD.format('?')} WHERE stream = ? AND version"
_TARGETS = f"""
SELECT {_RECORD.format("name").partition(" FROM ")[0]},
    key, name, last_version, max_count, max_age, truncate_before
FROM (VALUES {{}}) CROSS JOIN streams ON name = column1
CROSS JOIN records ON stream = key AND version = column2"""
_FIELDS = len(Record._fields)
_IN_LOG = f"SELECT {_RECORD.format('name')} JOIN streams ON key = stream WHERE position"
_PROJECTED = """(name NOT GLOB '$*' OR (name GLOB '$$*' AND name NOT GLOB '$$$*'))
    AND (NOT is_json OR json_valid(CAST(data AS TEXT)))"""
_LINKABLE = f"""
SELECT position, name, version, id, type, created,
    CASE WHEN type = '$>' OR name GLOB '$$*' THEN data END,
    CASE WHEN json_valid(CAST(metadata AS TEXT))
        THEN json_extract(CAST(metadata AS TEXT), '$."$correlationId"') END
FROM records CROSS JOIN streams ON key = stream
WHERE position > ? AND {_PROJECTED}
ORDER BY position LIMIT ?"""
_WINDOW = """SELECT max(position) FROM
    (SELECT position FROM records WHERE position > ? ORDER BY position LIMIT 1000)"""
_PROJECTED_IN_LOG = f"""
SELECT {_RECORD.format("name")} CROSS JOIN streams ON key = stream
WHERE position > ? AND position <= ? AND {_PROJECTED}
    AND (? OR type IN (SELECT value FROM json_each(?)))
ORDER BY position LIMIT ?"""


def is_projected(stream: str) -> bool:
    """Whether projections see the records of that stream: of users' streams and their metadata."""
    return not stream.startswith("$") or (stream.startswith("$$") and not stream.startswith("$$$"))


class Reading:
    """Queries, for one connection, on the thread that owns it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        return self._connection

    def stream(self, name: str) -> Stream:
        """The stream of that name; one that was never written has key 0 and no records."""
        row = self._ask(f"{_STREAM} WHERE name = ?", (name,)).fetchone()
        return Stream(*row) if row else Stream(0, name)

    def streams(self, names: Iterable[str]) -> dict[str, Stream]:
        """Those of these streams that were ever written or have metadata, by name."""
        wanted = tuple(names)
        query = f"{_STREAM} WHERE name IN ({','.join('?' * len(wanted))})"
        return {row[1]: Stream(*row) for row in self._ask(query, wanted)}

    def read_stream(
        self, stream: Stream, version: int, *, backwards: bool = False, limit: int = PAGE
    ) -> list[Record]:
        """A page of a stream's raw records from ``version`` on, inclusive.

        A page may be shorter than ``limit``, as its bytes are limited: only an empty page is the
        end.
        """
        bound = "<= ? ORDER BY version DESC" if backwards else ">= ? ORDER BY version"
        parameters = (stream.name, stream.key, version, min(limit, PAGE))
        return self._page(f"{_IN_STREAM} {bound} LIMIT ?", parameters)

    def read_targets(self, targets: Sequence[tuple[str, int]]) -> Iterator[tuple[Record, Stream]]:
        """The raw records of these streams and versions, each with its stream, in any order."""
        values = ",".join(["(?,?)"] * len(targets))
        parameters = [part for target in targets for part in target]
        for row in self._ask(_TARGETS.format(values), parameters).fetchall():
            yield Record._make(row[:_FIELDS]), Stream(*row[_FIELDS:])

    def read_log(self, after: int, *, backwards: bool = False, limit: int = PAGE) -> list[Record]:
        """A page of all records beyond position ``after``, exclusive (-1: the start).

        A page may be shorter than ``limit`` (it is bounded in bytes): only an empty one is the end.
        """
        bound = "< ? ORDER BY position DESC" if backwards else "> ? ORDER BY position"
        return self._page(f"{_IN_LOG} {bound} LIMIT ?", (after, min(limit, PAGE)))

    def read_linkable(self, after: int, limit: int) -> list[Linkable]:
        """Records for projections, beyond position ``after``; fewer than ``limit``: there are no
        more.

        These are records of user streams and their metadata, without invalid JSON. SQL selects
        them, since nine in ten records may be links of projections, and an event may be large.
        """
        cursor = self._ask(_LINKABLE, (after, limit))
        page = list(map(Linkable._make, cursor))
        cursor.close()
        return page

    def read_projected(self, after: int, types: Sequence[str] | None) -> tuple[list[Record], int]:
        """Like ``read_linkable``, but whole records, of these types (None: all).

        It scans 1,000 records. Also returns the position up to which it has scanned; without a
        match, read the next page from there.
        """
        (end,) = self._ask(_WINDOW, (after,)).fetchone()
        if end is None:
            return [], after
        wanted = (types is None, json.dumps(types or ()))
        return self._page(_PROJECTED_IN_LOG, (after, end, *wanted, PAGE)), end

    def record_at(self, position: int) -> Record | None:
        """The record at exactly that position."""
        page = self._page(f"{_IN_LOG} = ?", (position,))
        return page[0] if page else None

    def state(self, key: str) -> bytes | None:
        """A value stored beside the records."""
        row = self._ask("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def states(self, prefix: str) -> list[bytes]:
        """All values whose keys begin with ``prefix``, in the order of the keys."""
        query = "SELECT value FROM state WHERE key BETWEEN ? AND ? ORDER BY key"
        return [row[0] for row in self._ask(query, beginning(prefix))]

    def _ask(self, query: str, parameters: Sequence[str | int | bytes] = ()) -> sqlite3.Cursor:
        return self._connection.execute(query, parameters)

    def _page(self, query: str, parameters: Sequence[str | int]) -> list[Record]:
        page: list[Record] = []
        room = _PAGE_BYTES
        cursor = self._ask(query, parameters)
        for record in map(Record._make, cursor):
            page.append(record)
            room -= len(record.data) + len(record.metadata)
            if room <= 0:
                break
        cursor.close()  # ends the read transaction at once; otherwise the WAL could not be reset
        return page


def beginning(prefix: str) -> tuple[str, str]:
    """The bounds of all keys that begin with ``prefix``."""
    return prefix, prefix + chr(0x10FFFF)
