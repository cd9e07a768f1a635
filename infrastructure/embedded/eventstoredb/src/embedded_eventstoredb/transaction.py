"""The interface of a job to the log: append, store state, query. Jobs are committed together."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from embedded_eventstoredb.reading import PAGE, Reading, beginning
from embedded_eventstoredb.records import Appended, NewRecord, Record, Stream, parse_metadata
from embedded_eventstoredb.writer_memory import RECORD_OVERHEAD, WriterMemory

__all__ = ["PAGE", "Reading", "Transaction"]

_AT_ONCE: Final = (64, 8, 1)
"""Rows per statement: each statement releases the interpreter's lock and must acquire it again."""

_INSERT: Final = {
    count: f"INSERT INTO records VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?, ?, ?)'] * count)}"
    for count in _AT_ONCE
}
_UPSERT: Final = """INSERT INTO streams
    (key, name, last_version, max_count, max_age, truncate_before) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET last_version = excluded.last_version, max_count = excluded.max_count,
    max_age = excluded.max_age, truncate_before = excluded.truncate_before"""

_Answer = TypeVar("_Answer")
_Row = tuple[int, int, int, bytearray, str, int, int, bytearray, bytearray]
"""sqlite3 looks for an adapter for each ``bytes`` and ``bool``, which takes longer than a copy."""


@dataclass
class Changes:
    """What one job or several have changed: new records, and the states of streams."""

    records: list[Record] = field(default_factory=list)
    streams: dict[str, Stream] = field(default_factory=dict)

    def add(self, later: "Changes") -> None:
        self.records += later.records
        self.streams |= later.streams


@dataclass
class _Unwritten:
    """The pending writes of one job or of several."""

    rows: list[_Row] = field(default_factory=list)
    streams: dict[str, Stream] = field(default_factory=dict)

    def add(self, later: "_Unwritten") -> None:
        self.rows += later.rows
        self.streams |= later.streams

    def write(self, connection: sqlite3.Connection) -> None:
        if self.streams:
            connection.executemany(_UPSERT, map(_of_stream, self.streams.values()))
        start = 0
        for count in _AT_ONCE:
            while len(self.rows) - start >= count:
                rows = self.rows[start : start + count]
                connection.execute(_INSERT[count], [value for row in rows for value in row])
                start += count
        self.rows, self.streams = [], {}


class Transaction(Reading):
    """Runs jobs on the writer's thread, one after the other, and commits them together.

    Appends are collected. They are written before the commit, or before a query.
    """

    def __init__(self, connection: sqlite3.Connection, memory: WriterMemory) -> None:
        super().__init__(connection)
        self.committed = memory.last_position
        self._memory = memory
        self._done, self._job = _Unwritten(), _Unwritten()
        self._changes, self._changes_of_job = Changes(), Changes()
        self._before: list[tuple[str, Stream | None]] = []
        self._new_ids = self._new_ids_of_job = 0
        self._begun = self._saved = self._lost = False

    @property
    def last_position(self) -> int:
        """The position of the last record; -1 if the log is empty."""
        return self._memory.last_position

    @property
    def began_at(self) -> int:
        """The last position when this process, or this leader, began to write."""
        return self._memory.began_at

    def run(self, job: "Callable[[Transaction], _Answer]", committed: int) -> _Answer:
        """Run a job. Returns its answer. Raises what the job raises; then the job has no effect.

        ``committed`` is the end of the log on disk when the job was handed in.
        """
        self.committed = committed
        memory = self._memory
        if self._lost:
            memory.reload(self._connection)
            self._lost = False
        marks = memory.last_position, memory.end, memory.last_key
        try:
            answer = job(self)
        except BaseException:
            memory.last_position, memory.end, memory.last_key = marks
            self._undo()
            raise
        self._done.add(self._job)
        self._changes.add(self._changes_of_job)
        self._end_job()
        return answer

    def commit(self) -> Changes:
        """Write all changes to disk. Returns them."""
        if self._done.rows or self._done.streams:
            self._begin()
            self._done.write(self._connection)
        if self._begun:
            self._connection.execute("COMMIT")
        self._begun, self._new_ids = False, 0
        self._memory.settle()
        committed, self._changes = self._changes, Changes()
        return committed

    def roll_back(self) -> None:
        """Undo all jobs since the last commit."""
        with suppress(sqlite3.Error):  # SQLite may have rolled back already
            self._connection.execute("ROLLBACK")
        self._memory.ids.take_back(self._new_ids + self._new_ids_of_job)
        self._done, self._job = _Unwritten(), _Unwritten()
        self._changes, self._changes_of_job = Changes(), Changes()
        self._before.clear()
        self._new_ids = self._new_ids_of_job = 0
        self._begun = self._saved = False
        self._lost = True

    def stream(self, name: str) -> Stream:
        """The stream of that name; one that was never written has key 0 and no records."""
        found = self._memory.streams.get(name)
        if found is None:
            found = self._memory.streams[name] = Reading(self._connection).stream(name)
        return found

    def streams(self, names: Iterable[str]) -> dict[str, Stream]:
        known = self._memory.streams
        wanted = list(names)
        if lacking := [name for name in wanted if name not in known]:
            known.update(super().streams(lacking))
        found = {name: known[name] for name in wanted if name in known}
        return {name: stream for name, stream in found.items() if stream.key}

    def append(
        self, stream: Stream, records: Sequence[NewRecord], *, version: int | None = None
    ) -> Appended:
        """Append without checks; ``version`` overrides the first version (for tombstones).

        A record on ``$$name`` is the new metadata of ``name``, from this transaction on.
        """
        first = stream.last_version + 1 if version is None else version
        last = first + len(records) - 1
        if records:
            known = self._memory.streams.get(stream.name, stream)
            key = self._change(replace(known, last_version=last))
            self._add(stream.name, key, first, records)
            if stream.name.startswith("$$"):
                self._take_metadata(stream.name[2:], records[-1].data)
        return Appended(first, last, self.last_position)

    def append_all(self, appends: Iterable[tuple[Stream, Sequence[NewRecord]]]) -> None:
        """Append without checks to several streams, each after its last version.

        Each occurs once.
        """
        for stream, records in appends:
            self.append(stream, records)

    def version_of(self, stream: Stream, record_id: bytes) -> int | None:
        """The version of a recently written id in the stream; None if it is not known."""
        return self._memory.ids.version_of(stream.key, record_id)

    def set_state(self, key: str, value: bytes) -> None:
        """Store a value beside the records, committed with the appends of this job."""
        self._ask("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))

    def delete_state(self, key: str) -> None:
        self._ask("DELETE FROM state WHERE key = ?", (key,))

    def delete_states(self, prefix: str) -> None:
        """Delete all values whose keys begin with ``prefix``."""
        self._ask("DELETE FROM state WHERE key BETWEEN ? AND ?", beginning(prefix))

    def forget(self) -> None:
        """Forget recent ids, which a new leader does not know."""
        self._memory.forget()

    def _ask(self, query: str, parameters: Sequence[str | int | bytes] = ()) -> sqlite3.Cursor:
        if not self._saved:
            self._begin()
            self._done.write(self._connection)
            self._connection.execute("SAVEPOINT job")
            self._saved = True
        self._job.write(self._connection)
        return super()._ask(query, parameters)

    def _begin(self) -> None:
        if not self._begun:
            self._connection.execute("BEGIN IMMEDIATE")
            self._begun = True

    def _undo(self) -> None:
        for name, stream in reversed(self._before):
            if stream is None:
                del self._memory.streams[name]
            else:
                self._memory.streams[name] = stream
        self._memory.ids.take_back(self._new_ids_of_job)
        self._new_ids_of_job = 0
        if self._saved:
            self._connection.execute("ROLLBACK TO job")
        self._end_job()

    def _end_job(self) -> None:
        self._job, self._changes_of_job = _Unwritten(), Changes()
        self._before.clear()
        self._new_ids += self._new_ids_of_job
        self._new_ids_of_job = 0
        if self._saved:
            self._connection.execute("RELEASE job")
            self._saved = False

    def _change(self, stream: Stream) -> int:
        """Set the new state of a stream. Returns its key."""
        if not stream.key:
            self._memory.last_key += 1
            stream = replace(stream, key=self._memory.last_key)
        self._before.append((stream.name, self._memory.streams.get(stream.name)))
        self._memory.streams[stream.name] = self._job.streams[stream.name] = stream
        self._changes_of_job.streams[stream.name] = stream
        return stream.key

    def _add(self, name: str, key: int, version: int, records: Sequence[NewRecord]) -> None:
        memory, created = self._memory, time.time_ns() // 100
        rows, added, remember = self._job.rows, self._changes_of_job.records, memory.ids.put
        for number, record in enumerate(records, version):
            record_id, type, data, metadata = record.id, record.type, record.data, record.metadata
            memory.last_position = position = memory.end
            memory.end += RECORD_OVERHEAD + len(data) + len(metadata)
            self._new_ids_of_job += remember(record_id, key, number)
            rows.append((
                position, key, number, bytearray(record_id), type, int(record.is_json), created,
                bytearray(metadata), bytearray(data),
            ))  # fmt: skip  # one row of the table, in its order
            added.append(Record(
                position, name, number, record_id, type, record.is_json, created, metadata, data
            ))  # fmt: skip  # the same

    def _take_metadata(self, name: str, data: bytes) -> None:
        limits = parse_metadata(data)
        self._change(
            replace(
                self.stream(name),
                max_count=limits.get("$maxCount"),
                max_age=limits.get("$maxAge"),
                truncate_before=limits.get("$tb"),
            )
        )


def _of_stream(stream: Stream) -> tuple[int, str, int, int | None, int | None, int | None]:
    return (
        stream.key, stream.name, stream.last_version,
        stream.max_count, stream.max_age, stream.truncate_before,
    )  # fmt: skip  # one row of the table, in its order
