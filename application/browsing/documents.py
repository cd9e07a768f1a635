"""What is stored, and states that were folded of it, as plain data: to show, and to compare."""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel

from domain.values import Money

_DEPTH: Final = 20  # levels of a document
_PLAIN: Final = (str, int, float, bool, type(None))


def stored(data: bytes) -> Any:
    """The stored JSON; other systems may have stored bytes of any kind: ``{"bytes": "00ff"}``."""
    try:
        return json.loads(data) if data else {}
    except (ValueError, RecursionError):
        return {"bytes": data.hex()}


def author(metadata: object) -> str | None:
    """Who did it, as the stored metadata has it: ``ann``, or of a machine ``a_saga for ann``."""
    if not isinstance(metadata, dict):
        return None
    actor, principal = metadata.get("actor"), metadata.get("on_behalf_of")
    if not isinstance(actor, str):
        return None
    return f"{actor} for {principal}" if isinstance(principal, str) else actor


def plain(value: Any, depth: int = _DEPTH) -> Any:
    """A state, an event or a value as JSON has it. Money is ``"2.55 GBP"``, a date ISO 8601."""
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if isinstance(value, _PLAIN):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): plain(one, depth - 1) for key, one in value.items()}
    if isinstance(value, Set):
        return sorted((plain(one, depth - 1) for one in value), key=str)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(one, depth - 1) for one in value]
    if is_dataclass(value) and not isinstance(value, Money):
        return {one.name: plain(getattr(value, one.name), depth - 1) for one in fields(value)}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@dataclass(frozen=True)
class Difference:
    """One value that changed. ``None`` before: it was not there; after: it is not any more."""

    path: str
    """``lines.0.quantity``"""
    before: Any
    after: Any


def differences(before: Any, after: Any) -> Sequence[Difference]:
    """What changed between two documents, in the order of the later one."""
    was, is_now = dict(_leaves(before)), dict(_leaves(after))
    changed = [Difference(path, was.get(path), one) for path, one in is_now.items()]
    gone = [Difference(path, one, None) for path, one in was.items() if path not in is_now]
    return [one for one in (*changed, *gone) if one.before != one.after]


def _leaves(document: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    match document:
        case dict() if document or not path:
            for name, one in document.items():
                yield from _leaves(one, f"{path}.{name}" if path else str(name))
        case list() if document:
            for number, one in enumerate(document):
                yield from _leaves(one, f"{path}.{number}")
        case _:
            yield path, document
