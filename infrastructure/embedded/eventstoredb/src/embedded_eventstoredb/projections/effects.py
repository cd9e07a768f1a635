"""Writes the effects of a batch of events: states, results, emitted events, the projection's
position.

Everything is written in one transaction, so each event takes effect exactly once.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from embedded_eventstoredb.errors import (
    EXPECT_ANY,
    StreamDeleted,
    WrongExpectedVersion,
)
from embedded_eventstoredb.projections.claims import claim
from embedded_eventstoredb.projections.definitions import Definition
from embedded_eventstoredb.projections.positions import Position, stamp
from embedded_eventstoredb.projections.sources import HandlerInput
from embedded_eventstoredb.storage import (
    NewRecord,
    Reading,
    Stream,
    Transaction,
    compact,
    id_text,
)
from embedded_eventstoredb.streams import (
    LINK,
    append,
    delete,
    read_stream,
)

_TRACKED: Final = "$StreamTracked"
_RESULT: Final = "Result"
_END: Final = "$Eof"
_RESULT_REMOVED: Final = "ResultRemoved"
_PARTITION: Final = "$partition"

_Json = Any  # what JSON can hold
Effect = tuple[HandlerInput, dict[str, _Json]]


def stored_position(reading: Reading, definition: Definition) -> bytes | None:
    """The position after its last batch."""
    return reading.state(_key(definition, "position"))


def stored_state(reading: Reading, definition: Definition, partition: str) -> list[str | None]:
    """State and result of a partition, as JSON texts; empty texts if it has had no event."""
    stored = reading.state(_key(definition, f"state {partition}"))
    found: list[str | None] = json.loads(stored) if stored else ["", None]
    return found


def write_effects(
    transaction: Transaction,
    definition: Definition,
    query: Mapping[str, _Json],
    effects: Sequence[Effect],
    position: Position,
) -> None:
    """Write what a batch has changed, and ``position`` as the new position. Raises Faulted."""
    writes = _Writes(transaction, definition)
    outputs = query["outputState"] and not definition.ends
    for item, changes in effects:
        if outputs and changes.get("isNew") and changes["partition"]:
            writes.note_partition(item, changes["partition"])
        for emitted in changes["emitted"]:
            writes.emit(item, emitted)
        if outputs and "result" in changes:
            writes.set_result_of(item, query["options"], changes)
        for partition, state in changes["states"].items():
            key = _key(definition, f"state {partition}")
            transaction.set_state(key, json.dumps(state).encode())
    writes.flush()
    transaction.set_state(_key(definition, "position"), json.dumps(position).encode())


def write_results(transaction: Transaction, definition: Definition) -> None:
    """Write the results of a query that has completed, once per epoch."""
    name = f"{definition.stream}-result"
    if claim(transaction, definition, transaction.stream(name)).written is not None:
        return
    stream = _claimed(transaction, definition, name)
    metadata = compact({"$v": definition.stamp, "$ph": 1, "$cp": True})
    states = transaction.states(_key(definition, "state "))
    results = [result or "" for _, result in map(json.loads, states)]
    records = [NewRecord(_RESULT, _bytes(text), metadata, is_json=True) for text in results]
    records.append(NewRecord(_END, b"", metadata, is_json=True))
    append(transaction, stream.name, EXPECT_ANY, records)


def forget(transaction: Transaction, definition: Definition) -> None:
    """Delete position and states, but not what was written to streams."""
    for kind in ("position", "state "):
        transaction.delete_states(_key(definition, kind))


def delete_emitted(transaction: Transaction, definition: Definition) -> None:
    """Delete the tracked emitted streams, and the list of them."""
    tracked = transaction.stream(_tracking(definition))
    version = 0
    while page := read_stream(transaction, tracked, version):
        version = page[-1].version + 1
        for entry in page:
            _delete(transaction, entry.data.decode())
    _delete(transaction, tracked.name)
    transaction.delete_states(_key(definition, "tracks "))


def _claimed(transaction: Transaction, definition: Definition, name: str) -> Stream:
    """A stream, ready to be written. Raises Faulted if the stream is not the projection's own."""
    metadata = claim(transaction, definition, transaction.stream(name)).metadata
    if metadata is not None:
        append(transaction, f"$${name}", EXPECT_ANY, [metadata])
    return transaction.stream(name)


class _Writes:
    """The records of a batch, by stream: each stream is written once."""

    def __init__(self, transaction: Transaction, definition: Definition) -> None:
        self._transaction = transaction
        self._definition = definition
        self._first: dict[str, int] = {}
        self._records: dict[str, list[NewRecord]] = {}

    def emit(self, item: HandlerInput, emitted: Mapping[str, _Json]) -> None:
        """Add what the script has emitted: an event, or a link."""
        stream, data = emitted["stream"], _bytes(emitted["data"])
        metadata = self._metadata(item, emitted["metadata"])
        self._add(stream, NewRecord(emitted["type"], data, metadata, emitted["isJson"]))
        if self._definition.track_emitted_streams:
            self._track(stream)

    def set_result_of(
        self, item: HandlerInput, options: Mapping[str, _Json], changes: Mapping[str, _Json]
    ) -> None:
        """Add the new result; a partition's goes to its own stream, linked from the common one."""
        partition, result = changes["partition"], changes["result"]
        metadata = self._metadata(item)
        common = options.get("resultStreamName") or f"{self._definition.stream}-result"
        record = NewRecord(_RESULT_REMOVED, b"", metadata, is_json=True)
        if result is not None:
            record = NewRecord(_RESULT, _bytes(result), metadata, is_json=True)
        if not partition:
            self._add(common, record)
            return
        pattern = options.get("partitionResultStreamNamePattern")
        own = (pattern or f"{self._definition.stream}-{{0}}-result").replace("{0}", partition)
        version = self._add(own, record)
        self._add(common, NewRecord(LINK, _bytes(f"{version}@{own}"), metadata))

    def note_partition(self, item: HandlerInput, partition: str) -> None:
        """Record that a partition has had its first event."""
        metadata = self._metadata(item._replace(cause=None, correlation_id=None))
        record = NewRecord(_PARTITION, _bytes(partition), metadata)
        self._add(f"{self._definition.stream}-partitions", record)

    def flush(self) -> None:
        """Append everything, in the order in which the streams were first written to."""
        for stream, records in self._records.items():
            append(self._transaction, stream, EXPECT_ANY, records)

    def _add(self, name: str, record: NewRecord) -> int:
        """The version that the record will have."""
        if name not in self._first:
            stream = _claimed(self._transaction, self._definition, name)
            self._first[name], self._records[name] = stream.last_version + 1, []
        self._records[name].append(record)
        return self._first[name] + len(self._records[name]) - 1

    def _track(self, stream: str) -> None:
        key = _key(self._definition, f"tracks {stream}")
        if self._transaction.state(key) is None:
            self._transaction.set_state(key, b"yes")
            entry = NewRecord(_TRACKED, _bytes(stream))
            append(self._transaction, _tracking(self._definition), EXPECT_ANY, [entry])

    def _metadata(self, item: HandlerInput, added: Mapping[str, _Json] | None = None) -> bytes:
        metadata = {"$v": self._definition.stamp, **stamp(item.position), **(added or {})}
        metadata.pop("$causedBy", None)  # the script cannot set these
        if item.cause is not None:
            metadata["$causedBy"] = id_text(item.cause)
        if item.correlation_id:
            metadata.setdefault("$correlationId", item.correlation_id)
        return compact(metadata)


def _key(definition: Definition, what: str) -> str:
    return f"projection {definition.number} {what}"


def _tracking(definition: Definition) -> str:
    return f"{definition.stream}-emittedstreams"


def _delete(transaction: Transaction, stream: str) -> None:
    with suppress(WrongExpectedVersion, StreamDeleted):  # there is none, or not any more
        delete(transaction, stream, EXPECT_ANY)


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")  # JavaScript's text may hold half of a surrogate pair
