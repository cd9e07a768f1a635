"""Whose stream it is that a projection is about to write: its own, or somebody else's.

A projection writes only where it alone writes. It looks at the newest record, whose metadata says
which projection wrote it and what caused it. Anything else there is a fault of the projection.
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
    """What a projection finds in a stream that it begins to write.

    Raises Faulted where somebody else has written last, or the stream is deleted for good.
    """
    if stream.tombstoned:
        raise Faulted(f"Stream : {stream.name} is deleted. Cannot emit events to it")
    newest = read_stream(reading, stream, MAX_VERSION, backwards=True, limit=1)
    if newest and is_found(stream):
        epoch, written = _stamp_of(definition, stream.name, newest[0].metadata)
        if epoch >= definition.epoch:
            return Claim(written, None)
    metadata: dict[str, Any] = {"$tb": stream.last_version + 1} if stream.last_version >= 0 else {}
    metadata["$acl"] = _READABLE_BY_ALL if stream.name.startswith("$") else {}
    return Claim(None, NewRecord(METADATA, compact(metadata), is_json=True))


def _stamp_of(definition: Definition, name: str, metadata: bytes) -> tuple[int, Position]:
    """The version of the projection that wrote a record, and what made it do so."""
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
