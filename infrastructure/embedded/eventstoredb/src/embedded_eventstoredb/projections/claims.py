"""Checks that a stream belongs to a projection before the projection writes to it.

A projection writes only to streams that it alone writes. The metadata of the newest record says
which projection wrote it, and what caused it. A record of any other writer faults the projection.
"""

import json
from typing import Any, Final, NamedTuple

from embedded_eventstoredb.projections.definitions import Definition, Faulted
from embedded_eventstoredb.projections.positions import Position
from embedded_eventstoredb.storage import (
    MAX_VERSION,
    NewRecord,
    Reading,
    Stream,
    compact,
)
from embedded_eventstoredb.streams import METADATA, is_found, read_stream

EMIT_REFUSED: Final = "'emit' is not allowed by the projection/configuration/mode"
_READABLE_BY_ALL: Final = {"$r": "$all", "$mr": "$all"}


class Claim(NamedTuple):
    """``written``: the position whose effect is the newest there, None where there is none yet.

    ``metadata`` is to be written to the metastream before anything else: it opens the stream to
    all readers, and cuts off what an earlier epoch has left.
    """

    written: Position | None
    metadata: NewRecord | None


def claim(reading: Reading, definition: Definition, stream: Stream) -> Claim:
    """The state of a stream that a projection begins to write.

    Raises Faulted if another writer wrote last, or if the stream is tombstoned.
    """
    if stream.tombstoned:
        raise Faulted(f"Stream : {stream.name} is deleted. Cannot emit events to it")
    found = is_found(stream)
    newest = read_stream(reading, stream, MAX_VERSION, backwards=True, limit=1) if found else []
    if newest:
        epoch, written = _stamp_of(definition, stream.name, newest[0].metadata)
        if epoch >= definition.epoch:
            return Claim(written, None)
    metadata: dict[str, Any] = {"$tb": stream.last_version + 1} if stream.last_version >= 0 else {}
    metadata["$acl"] = _READABLE_BY_ALL if stream.name.startswith("$") else {}
    return Claim(None, NewRecord(METADATA, compact(metadata), is_json=True))


def _stamp_of(definition: Definition, name: str, metadata: bytes) -> tuple[int, Position]:
    """The version of the projection that wrote a record, and the position that caused it."""
    try:
        said = json.loads(metadata)
        written: Position = next(said[tag] for tag in ("$p", "$s", "$ph") if tag in said)
        number, _, version, *_ = map(int, str(said.get("$v", definition.stamp)).split(":"))
    except (AttributeError, StopIteration, TypeError, ValueError):
        raise Faulted(
            f"The '{name}' stream managed by projection {definition.number} "
            "has been written to from the outside."
        ) from None
    if number != definition.number:
        raise Faulted(
            f"Multiple projections emitting to the same stream detected.  Stream: '{name}'. "
            f"Last event projection: '{number}'.  Emitting projection: '{definition.number}'"
        )
    return version, written
