"""What a batch of events makes a projection write: states, results, emitted events, its position.

All of it is one transaction. Whatever happens, each event has its effect exactly once.
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
from embedded_eventstoredb.projections.sources import Happening
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
Effect = tuple[Happening, dict[str, _Json]]


def stored_position(reading: Reading, definition: Definition) -> bytes | None:
    """Where it was after its last batch."""
    return reading.state(_key(definition, "position"))


def stored_state(reading: Reading, definition: Definition, partition: str) -> list[str | None]:
    """State and result of a partition, as JSON texts; an empty one where it has had no event."""
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
    """Write what a batch has changed, and that it has come to ``position``. Raises Faulted."""
    writes = _Writes(transaction, definition)
    outputs = query["outputState"] and not definition.ends
    for happening, changes in effects:
        if outputs and changes.get("isNew") and changes["partition"]:
            writes.note_partition(happening, changes["partition"])
        for emitted in changes["emitted"]:
            writes.emit(happening, emitted)
        if outputs and "result" in changes:
            writes.tell_result(happening, query["options"], changes)
        for partition, state in changes["states"].items():
            key = _key(definition, f"state {partition}")
            transaction.set_state(key, json.dumps(state).encode())
    writes.flush()
    transaction.set_state(_key(definition, "position"), json.dumps(position).encode())


def write_results(transaction: Transaction, definition: Definition) -> None:
    """Write what has come out of a query that is over, once in each of its epochs."""
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
    """Forget position and states, not what was written to streams."""
    for kind in ("position", "state "):
        transaction.delete_states(_key(definition, kind))


def delete_emitted(transaction: Transaction, definition: Definition) -> None:
    """Delete the streams that it was asked to keep track of, and the list of them."""
    tracked = transaction.stream(_tracking(definition))
    version = 0
    while page := read_stream(transaction, tracked, version):
        version = page[-1].version + 1
        for entry in page:
            _delete(transaction, entry.data.decode())
    _delete(transaction, tracked.name)
    transaction.delete_states(_key(definition, "tracks "))


def _claimed(transaction: Transaction, definition: Definition, name: str) -> Stream:
    """A stream, made ready to be written. Raises Faulted where it is not the projection's own."""
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

    def emit(self, happening: Happening, emitted: Mapping[str, _Json]) -> None:
        """What the script has said: an event, or a link."""
        stream, data = emitted["stream"], _bytes(emitted["data"])
        metadata = self._metadata(happening, emitted["metadata"])
        self._add(stream, NewRecord(emitted["type"], data, metadata, emitted["isJson"]))
        if self._definition.track_emitted_streams:
            self._track(stream)

    def tell_result(
        self, happening: Happening, options: Mapping[str, _Json], changes: Mapping[str, _Json]
    ) -> None:
        """The new result; of a partition, in its own stream, with a link in the common one."""
        partition, result = changes["partition"], changes["result"]
        metadata = self._metadata(happening)
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

    def note_partition(self, happening: Happening, partition: str) -> None:
        """A partition has had its first event."""
        metadata = self._metadata(happening._replace(cause=None, correlation_id=None))
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

    def _metadata(self, happening: Happening, added: Mapping[str, _Json] | None = None) -> bytes:
        metadata = {"$v": self._definition.stamp, **stamp(happening.position), **(added or {})}
        metadata.pop("$causedBy", None)  # not for the script to say
        if happening.cause is not None:
            metadata["$causedBy"] = id_text(happening.cause)
        if happening.correlation_id:
            metadata.setdefault("$correlationId", happening.correlation_id)
        return compact(metadata)


def _key(definition: Definition, what: str) -> str:
    return f"projection {definition.number} {what}"


def _tracking(definition: Definition) -> str:
    return f"{definition.stream}-emittedstreams"


def _delete(transaction: Transaction, stream: str) -> None:
    with suppress(WrongExpectedVersion, StreamDeleted):  # there is none, or no more
        delete(transaction, stream, EXPECT_ANY)


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")  # JavaScript's text may hold half a character
