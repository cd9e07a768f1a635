"""The position of a projection: in the log, or a version in each of its streams."""

import json
from typing import Any

from embedded_eventstoredb.projections.definitions import Faulted

Position = int | dict[str, int]
"""-1 is before the first."""


def stamp(position: Position) -> dict[str, Any]:
    """The fields by which the metadata of a projection's records names their cause."""
    if isinstance(position, int):
        return {"$c": max(position, 0), "$p": position}
    return {"$s": position}


def described(position: Position) -> str:
    """The position as statistics show it."""
    if isinstance(position, int):
        return f"C:{max(position, 0)}/P:{position}"
    parts = [f"{stream}: {version}" for stream, version in position.items()]
    return parts[0] if len(parts) == 1 else "".join(f"{part}; " for part in parts)


def restored(stored: bytes | None, zero: Position) -> Position:
    """The position to continue from, although the query may have changed. Raises Faulted if there
    is none.

    A stream that is new to the query is read from its beginning.
    """
    if stored is None:
        return zero
    found: Position = json.loads(stored)
    match found, zero:
        case int(), int():
            return found
        case dict(), dict():
            return {stream: found.get(stream, before) for stream, before in zero.items()}
        case int(), _:
            raise Faulted("Conversion from Position to Stream position tag is not supported")
        case _:
            raise Faulted("Conversion from Stream to Position position tag is not supported")
