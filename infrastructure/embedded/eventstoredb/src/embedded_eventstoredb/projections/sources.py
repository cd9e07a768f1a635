"""Where a query's events come from, in which order, and which of them it sees.

The rules are the server's, from its ReaderStrategy and event filters; the streams of one query are
merged by position in the log.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from embedded_eventstoredb.projections.definitions import Faulted
from embedded_eventstoredb.projections.link_rules import deleted_stream
from embedded_eventstoredb.projections.positions import Position
from embedded_eventstoredb.storage import MAX_VERSION, Reading, Record, id_text
from embedded_eventstoredb.streams import (
    LINK,
    METADATA,
    STREAM_DELETED,
    Resolved,
    read_stream,
    resolve,
)

_CATEGORY: Final = "$ce-"
_DELETIONS: Final = (METADATA, STREAM_DELETED)

_Json = Any  # what JSON can hold
_Head = tuple[Record, Resolved]


class HandlerInput(NamedTuple):
    """An event or a deletion as the script receives it, and what links and emitted events say of
    it.
    """

    content: dict[str, _Json]
    position: Position
    cause: bytes | None = None
    correlation_id: str | None = None


class Page(NamedTuple):
    """The next inputs; ``position`` is where the page ends.

    Only a page without inputs can be the end.
    """

    inputs: list[HandlerInput]
    position: Position
    is_end: bool


class Source(Protocol):
    """What a query reads."""

    @property
    def zero(self) -> Position:
        """Before the first event."""
        ...

    def read(self, reading: Reading, position: Position) -> Page:
        """The next page beyond a position."""
        ...

    def progress(self, reading: Reading, position: Position) -> float:
        """How much of the source has been read, in per cent."""
        ...


@dataclass(frozen=True)
class Selection:
    """Which events a query selects."""

    types: Sequence[str] | None
    deletions: bool
    by_stream: bool
    links: bool

    def wants(self, record: Record) -> bool:
        return self.types is None or record.type in self.types

    def as_input(
        self, resolved: Resolved, position: Position, category: str | None
    ) -> HandlerInput:
        """An event as the script receives it."""
        event, link = resolved.event, resolved.link
        assert event is not None  # callers have checked
        content = {
            "streamId": event.stream,
            "sequenceNumber": event.version,
            "eventType": event.type,
            "eventId": id_text(event.id),
            "isJson": bool(event.is_json),
            "bodyRaw": _text(event.data),
            "metadataRaw": _text(event.metadata),
            "linkMetadataRaw": _text(link.metadata) if link else None,
            "category": category,
        }
        partition = _partition(event, link) if self.by_stream else ""
        correlation_id = _object(event.metadata).get("$correlationId") if event.is_json else None
        return HandlerInput(
            {"event": content, "partition": partition},
            position,
            event.id,
            correlation_id if isinstance(correlation_id, str) else None,
        )


class LogSource:
    """``fromAll``: every event of every user stream, in the order of the log."""

    zero: Position = -1

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        types = selection.types
        self._types = [*types, *_DELETIONS] if types and selection.deletions else types

    def read(self, reading: Reading, position: Position) -> Page:
        assert isinstance(position, int)  # see zero
        records, looked = reading.read_projected(position, self._types)
        found = [item for record in records if (item := self._input(record))]
        if records:
            return Page(found, records[-1].position, False)
        return Page([], looked, looked == position)

    def progress(self, reading: Reading, position: Position) -> float:
        assert isinstance(position, int)  # see zero
        newest = reading.read_log(1 << 62, backwards=True, limit=1)
        return 100 * (position + 1) / (newest[0].position + 1) if newest else 100.0

    def _input(self, record: Record) -> HandlerInput | None:
        deletions = self._selection.deletions and record.type != STREAM_DELETED
        if deletions and (deleted := deleted_stream(record)):
            return HandlerInput({"deletion": deleted}, record.position)
        if record.type == LINK and not self._selection.links:
            return None
        if not self._selection.wants(record):
            return None
        return self._selection.as_input(Resolved(record, None), record.position, None)


class StreamsSource:
    """``fromStream``, ``fromStreams``, ``fromCategory``: these streams, links resolved."""

    def __init__(self, selection: Selection, streams: Sequence[str], category: str | None) -> None:
        self._selection = selection
        self._streams = tuple(dict.fromkeys(streams))
        self._category = category

    @property
    def zero(self) -> Position:
        return dict.fromkeys(self._streams, -1)

    def read(self, reading: Reading, position: Position) -> Page:
        assert isinstance(position, dict)  # see zero
        pages = {name: self._page(reading, name, position[name]) for name in self._streams}
        heads = {name: iter(page) for name, page in pages.items() if page}
        if not heads:
            return Page([], position, True)
        found: list[HandlerInput] = []
        now = dict(position)
        for record, resolved in _merged(heads):
            now = {**now, record.stream: record.version}
            if item := self._input(resolved, now):
                found.append(item)
        return Page(found, now, False)

    def progress(self, reading: Reading, position: Position) -> float:
        assert isinstance(position, dict)  # see zero
        length = sum(reading.stream(name).last_version + 1 for name in self._streams)
        read = sum(version + 1 for version in position.values())
        return min(100.0, 100 * read / length) if length else 100.0

    def _page(self, reading: Reading, name: str, version: int) -> list[_Head]:
        stream = reading.stream(name)
        if stream.soft_deleted or stream.tombstoned:
            return []
        page = read_stream(reading, stream, version + 1)
        return [(record, resolve(reading, record)) for record in page]

    def _input(self, resolved: Resolved, position: Position) -> HandlerInput | None:
        event, selection = resolved.event, self._selection
        if deleted := _deleted(resolved):
            if not selection.deletions or _is_tombstone(resolved):
                return None
            return HandlerInput({"deletion": deleted}, position)
        if event is None or not selection.wants(event):
            return None
        if event.is_json and not _is_json(event.data):
            return None
        if self._category is not None and resolved.link is None:
            return None
        return selection.as_input(resolved, position, self._category)


def source_of(query: Mapping[str, _Json]) -> Source:
    """What a query reads, by its definition. Raises Faulted where it contradicts itself."""
    _check(query)
    options = query["options"]
    selection = Selection(
        types=None if query["allEvents"] else query["events"],
        deletions=query["deletions"],
        by_stream=query["byStream"],
        links=options.get("$includeLinks", False),
    )
    if query["all"]:
        return LogSource(selection)
    if query["categories"]:
        (category,) = query["categories"]
        return StreamsSource(selection, [f"{_CATEGORY}{category}"], category)
    return StreamsSource(selection, query["streams"], None)


def _check(query: Mapping[str, _Json]) -> None:
    everything, categories, streams = query["all"], query["categories"], query["streams"]
    reordered = query["options"].get("reorderEvents", False)
    refusals = {
        "None of streams and categories are included": not (everything or categories or streams),
        "Streams and categories cannot be included in a filter at the same time": (
            streams and categories
        ),
        "Both FromAll and specific categories/streams cannot be set": (
            everything and (categories or streams)
        ),
        "Both AllEvents and specific event filters cannot be set": (
            query["allEvents"] and query["events"]
        ),
        "foreachStream projections are not supported on stream based sources": (
            query["byStream"] and streams
        ),
        "Event reordering cannot be used with fromAll()": reordered and everything,
        "Event reordering is only available in fromStreams([]) projections": (
            reordered and len(set(streams)) < 2
        ),
        "Event reordering requires processing lag at least of 50ms": (
            reordered and query["options"].get("processingLag", 0) < 50
        ),
        "Deleted stream notifications are only supported with foreachStream()": (
            query["deletions"] and not query["byStream"]
        ),
        "Specified method is not supported.": len(categories) > 1,
    }
    for refusal, applies in refusals.items():
        if applies:
            raise Faulted(refusal)


def _merged(heads: Mapping[str, Iterator[_Head]]) -> Iterator[_Head]:
    """Merged by position in the log, until one page has no more records."""
    waiting = {name: next(head) for name, head in heads.items()}
    while True:
        name = min(waiting, key=lambda name: _place(*waiting[name]))
        yield waiting[name]
        following = next(heads[name], None)
        if following is None:
            return
        waiting[name] = following


def _place(record: Record, resolved: Resolved) -> int:
    return (resolved.event or record).position


def _deleted(resolved: Resolved) -> str | None:
    """The stream whose deletion this record is, or links to."""
    if resolved.event is not None:
        return deleted_stream(resolved.event)
    link = resolved.original
    if "$deleted" not in _object(link.metadata):
        return None
    return link.data.decode(errors="replace").partition("@")[2].removeprefix("$$")


def _is_tombstone(resolved: Resolved) -> bool:
    """Whether it is a tombstone, which is not given to any handler."""
    if resolved.event is not None:
        return resolved.event.type == STREAM_DELETED
    return resolved.link is not None and resolved.link.data.startswith(b"%d@" % MAX_VERSION)


def _partition(event: Record, link: Record | None) -> str:
    """The stream whose partition the event belongs to, which a link may name."""
    original = _object(link.metadata).get("$o") if link else None
    return original if isinstance(original, str) else event.stream.removeprefix("$$")


def _text(data: bytes) -> str | None:
    return data.decode(errors="replace") if data else None


def _object(data: bytes) -> dict[str, _Json]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
