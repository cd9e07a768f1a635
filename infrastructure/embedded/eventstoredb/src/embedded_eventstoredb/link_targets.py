"""Resolves a page of links with one query."""

from collections.abc import Iterator, Sequence
from typing import Final

from embedded_eventstoredb.storage import MAX_VERSION, Reading, Record
from embedded_eventstoredb.streams import LINK, Resolved, is_shown, resolve

_FEW: Final = 8


def resolve_all(reading: Reading, records: Sequence[Record]) -> Iterator[Resolved]:
    """The result of ``resolve`` for each record, a few at a time: their events may be large."""
    for start in range(0, len(records), _FEW):
        yield from resolve_page(reading, records[start : start + _FEW])


def resolve_page(reading: Reading, records: Sequence[Record]) -> list[Resolved]:
    """The result of ``resolve`` for each record."""
    targets = [_plain_target(record) for record in records]
    wanted = list({target for target in targets if target})
    found = {
        (event.stream, event.version): event
        for event, stream in (reading.read_targets(wanted) if wanted else ())
        if is_shown(stream, event)
    }
    return [
        Resolved(found.get(target), record) if target else resolve(reading, record)
        for record, target in zip(records, targets, strict=True)
    ]


def _plain_target(record: Record) -> tuple[str, int] | None:
    """The stream and version in a link; None if it needs more than parsing to resolve."""
    if record.type != LINK:
        return None
    version, at, name = record.data.partition(b"@")
    plain = at and version.isdigit() and len(version) < len(str(MAX_VERSION)) and name.isascii()
    return (name.decode(), int(version)) if plain and name[:2] != b"$$" else None
