"""The rules of streams: expected versions, idempotency, deletes, truncation, links.

Pure rules over a Transaction (writing) or the Storage (reading). They are EventStoreDB's own, from
its IndexWriter (CheckCommit), StorageWriterService and IndexReader.
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from embedded_eventstoredb.errors import (
    EXPECT_ANY,
    EXPECT_EXISTS,
    EXPECT_NO_STREAM,
    NotCommitted,
    StreamDeleted,
    WrongExpectedVersion,
)
from embedded_eventstoredb.storage import (
    MAX_VERSION,
    PAGE,
    Appended,
    NewRecord,
    Reading,
    Record,
    Stream,
    Transaction,
    compact,
)

LINK: Final = "$>"
METADATA: Final = "$metadata"
STREAM_DELETED: Final = "$streamDeleted"
_TICKS: Final = 10_000_000
_LINK_DATA: Final = re.compile(
    r"[\t-\r ]*(?P<version>[+-]?0*[0-9]{1,19})[\t-\r ]*@(?P<stream>.*)", re.DOTALL
)
_LINKED: Final = range(-1, MAX_VERSION + 1)  # -1 is the last event of the stream
_SERVER_PAGE: Final = 32


def append(
    transaction: Transaction, name: str, expected: int, records: Sequence[NewRecord]
) -> Appended:
    """Append if the stream is at the expected version. A repeated append gets its first answer
    again.

    ``expected`` is a version, or EXPECT_ANY, EXPECT_NO_STREAM, EXPECT_EXISTS. Raises
    WrongExpectedVersion, StreamDeleted, and NotCommitted if it repeats an append that was not
    committed when this one arrived.
    """
    stream = transaction.stream(name)
    if earlier := _check(transaction, stream, expected, records):
        return earlier
    deleted_original = _soft_deleted_original(transaction, name)
    appended = transaction.append(stream, records)
    if stream.soft_deleted and records:
        _undelete(transaction, stream)
    if deleted_original and records:
        _undelete(transaction, deleted_original)
    return appended


def delete(transaction: Transaction, name: str, expected: int) -> int:
    """Soft-delete: hide all events so far.

    Returns the position of the metadata record that does it.
    """
    stream = transaction.stream(name)
    _check(transaction, stream, expected, [NewRecord(METADATA)], "Delete")
    metastream = transaction.stream(f"$${name}")
    if stream.last_version < 0 and metastream.last_version < 0:
        raise WrongExpectedVersion(name, expected, -1, "Delete")
    hidden = NewRecord(METADATA, compact({"$tb": MAX_VERSION}), is_json=True)
    return transaction.append(metastream, [hidden]).position


def tombstone(transaction: Transaction, name: str, expected: int) -> int:
    """Delete permanently: the stream cannot be read or written again.

    Returns the tombstone's position.
    """
    stream = transaction.stream(name)
    _check(transaction, stream, expected, [NewRecord(STREAM_DELETED)], "Delete")
    return transaction.append(stream, [NewRecord(STREAM_DELETED)], version=MAX_VERSION).position


def _check(
    transaction: Transaction,
    stream: Stream,
    expected: int,
    records: Sequence[NewRecord],
    operation: str = "Append",
) -> Appended | None:
    """None if the append is to be written, Appended if it was written before. Otherwise raises."""
    if stream.tombstoned or _lost_its_original(transaction, stream):
        raise StreamDeleted(stream.name)
    current = stream.last_version
    if expected == EXPECT_EXISTS:
        if stream.soft_deleted:
            raise StreamDeleted(stream.name)
        if current < 0 and transaction.stream(f"$${stream.name}").last_version < 0:
            raise WrongExpectedVersion(stream.name, expected, current, operation)
    if expected in (EXPECT_ANY, EXPECT_EXISTS):
        known = _written_anywhere(transaction, stream, records)
    elif expected < current:
        known = _written_at(transaction, stream, expected + 1, records)
        undeletes = expected == EXPECT_NO_STREAM and stream.soft_deleted
        if not known and not undeletes:
            raise WrongExpectedVersion(stream.name, expected, current, operation)
    else:
        known = []
        if expected > current:
            raise WrongExpectedVersion(stream.name, expected, current, operation)
    if not known:
        return None
    if len(known) < len(records):
        raise WrongExpectedVersion(stream.name, expected, current, operation)
    return _earlier(transaction, stream, known)


def _lost_its_original(transaction: Transaction, stream: Stream) -> bool:
    """Whether this is the metastream of a tombstoned stream.

    As on the server, a metastream that this process has written before counts as not deleted: the
    writer's memory of it does not know the tombstone.
    """
    if not stream.name.startswith("$$") or not transaction.stream(stream.name[2:]).tombstoned:
        return False
    newest = transaction.read_stream(stream, MAX_VERSION, backwards=True, limit=1)
    return not newest or newest[0].position <= transaction.began_at


def _written_anywhere(
    transaction: Transaction, stream: Stream, records: Sequence[NewRecord]
) -> list[int]:
    """The versions of the leading records whose ids are remembered for the stream."""
    known: list[int] = []
    for record in records:
        version = transaction.version_of(stream, record.id)
        if version is None:
            break
        known.append(version)
    return known


def _written_at(
    transaction: Transaction, stream: Stream, first: int, records: Sequence[NewRecord]
) -> list[int]:
    """The versions of the leading records that are in the stream from version ``first`` on."""
    known: list[int] = []
    for version, record in enumerate(records, first):
        if transaction.version_of(stream, record.id) != version:
            there = transaction.read_stream(stream, version, limit=1)
            if not there or there[0].version != version or there[0].id != record.id:
                break
        known.append(version)
    return known


def _earlier(transaction: Transaction, stream: Stream, known: list[int]) -> Appended:
    (last,) = transaction.read_stream(stream, known[-1], limit=1)
    if last.position > transaction.committed:
        raise NotCommitted
    return Appended(known[0], known[-1], last.position)


def _soft_deleted_original(transaction: Transaction, name: str) -> Stream | None:
    """The soft-deleted stream that ``name`` is the metastream of."""
    original = transaction.stream(name[2:]) if name.startswith("$$") else None
    return original if original and original.soft_deleted else None


def _undelete(transaction: Transaction, stream: Stream) -> None:
    """Set ``$tb`` of a soft-deleted stream that is written again to its first new version.

    ``stream`` is its state before the write. Metadata that is not a JSON object is left as it is.
    """
    metastream = transaction.stream(f"$${stream.name}")
    newest = transaction.read_stream(metastream, MAX_VERSION, backwards=True, limit=1)
    try:
        metadata = json.loads(newest[0].data)
        metadata["$tb"] = stream.last_version + 1
    except (IndexError, TypeError, ValueError):
        return
    transaction.append(metastream, [NewRecord(METADATA, compact(metadata), is_json=True)])


def is_deleted(reading: Reading, stream: Stream) -> bool:
    """Whether the stream, or the one whose metadata it holds, is tombstoned."""
    if stream.name.startswith("$$"):
        return stream.tombstoned or reading.stream(stream.name[2:]).tombstoned
    return stream.tombstoned


def is_found(stream: Stream) -> bool:
    """Whether the stream has records and is not soft-deleted."""
    return stream.last_version >= 0 and not stream.soft_deleted


def first_visible(stream: Stream) -> int:
    """The lowest version that $tb and $maxCount leave visible; in a metastream, the newest one."""
    max_count = 1 if stream.name.startswith("$$") else stream.max_count
    kept = 0 if max_count is None else stream.last_version - max_count + 1
    return max(0, stream.truncate_before or 0, kept)


def read_stream(
    reading: Reading, stream: Stream, version: int, *, backwards: bool = False, limit: int = PAGE
) -> list[Record]:
    """A page of the visible records of a stream from ``version`` on, inclusive.

    A page may be shorter than ``limit``: only an empty page is the end. Records older than $maxAge
    or before the lowest visible version are left out. Records older than $maxAge are skipped by
    search, not one by one.
    """
    lowest = first_visible(stream)
    oldest = _oldest(stream)
    version = version if backwards else max(version, lowest)
    while page := reading.read_stream(stream, version, backwards=backwards, limit=limit):
        visible = [item for item in page if item.version >= lowest and item.created >= oldest]
        if visible or backwards:
            return visible
        version = _first_recorded(reading, stream, page[-1].version + 1, oldest)
    return []


def _first_recorded(reading: Reading, stream: Stream, version: int, oldest: int) -> int:
    """The first version from that one on whose record is young enough; else the last version
    plus 1.
    """
    beyond = stream.last_version + 1
    while version < beyond:
        middle = (version + beyond) // 2
        there = reading.read_stream(stream, middle, limit=1)
        if there and there[0].created < oldest:
            version = there[0].version + 1
        else:
            beyond = middle
    return version


def is_shown(stream: Stream, record: Record) -> bool:
    """Whether a read of the stream shows this record."""
    return (
        not stream.tombstoned
        and first_visible(stream) <= record.version
        and record.created >= _oldest(stream)
    )


def _oldest(stream: Stream) -> int:
    return 0 if stream.max_age is None else time.time_ns() // 100 - stream.max_age * _TICKS


class Resolved(NamedTuple):
    """An event as delivered, with the link that led to it, if there was one."""

    event: Record | None
    link: Record | None

    @property
    def original(self) -> Record:
        """The record in the stream or log that was read."""
        found = self.link or self.event
        assert found is not None  # one of the two is always set
        return found


def resolve(reading: Reading, record: Record) -> Resolved:
    """Follow a ``$>`` link. If the target is missing, ``event`` is None.

    A link that cannot be parsed is treated as an ordinary event.
    """
    link = (
        _LINK_DATA.fullmatch(record.data.decode(errors="replace")) if record.type == LINK else None
    )
    if link is None or int(link["version"]) not in _LINKED:
        return Resolved(record, None)
    target = reading.stream(link["stream"])
    if not is_found(target) or is_deleted(reading, target):
        return Resolved(None, record)
    version = int(link["version"])
    version = target.last_version if version == -1 else version
    page = read_stream(reading, target, version, limit=1)
    return Resolved(page[0] if page and page[0].version == version else None, record)


def passed_over(reading: Reading, stream: Stream, version: int, count: int) -> Iterator[int]:
    """The versions that a read forwards reports while it skips to the first event.

    The server reads 32 versions at a time, or ``count``, if that is less. After a page without an
    event, it reports the next version to read, unless the page began there.
    """
    found = read_stream(reading, stream, version, limit=1)
    first = found[0].version if found else stream.last_version + 1
    size = min(_SERVER_PAGE, count)
    while version + size - 1 < first or not found:
        hidden = version + size - 1 < first_visible(stream)
        following = first_visible(stream) if hidden else first
        if following != version:
            yield following
        if not (hidden or found):
            return
        version = following
