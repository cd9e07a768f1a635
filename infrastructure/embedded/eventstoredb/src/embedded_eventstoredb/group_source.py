"""The source of a consumer group's events: a stream or ``$all``, and its own parked events."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from embedded_eventstoredb.consumer_group import Message
from embedded_eventstoredb.filters import Filter, in_all
from embedded_eventstoredb.group_settings import ALL, FROM_END, GroupSettings
from embedded_eventstoredb.link_targets import resolve_page
from embedded_eventstoredb.storage import MAX_VERSION, Reading, Record, Stream
from embedded_eventstoredb.streams import (
    LINK,
    Resolved,
    read_stream,
)

Event = Message[Resolved]


class Page(NamedTuple):
    """Of ``considered`` events of the source, read up to ``up_to``, these are the group's.

    ``passed`` is the position of the last event that its filter left out, -1 if there was none.
    """

    events: list[Event]
    considered: int
    up_to: int
    passed: int = -1


class Source:
    """Reads the events of one group, a page at a time; ``wanted`` is the filter on ``$all``."""

    def __init__(self, reading: Reading, settings: GroupSettings, wanted: Filter) -> None:
        self._reading = reading
        self._settings = settings
        self._wanted = wanted
        self._batch = settings.limits.read_batch_size

    @property
    def begins_at_a_record(self) -> bool:
        """False if a group on ``$all`` begins at a position where no record begins."""
        start, on_all = self._settings.start, self._settings.stream == ALL
        return not on_all or start < 1 or self._reading.record_at(start) is not None

    @property
    def start(self) -> int:
        """The position after which a group without a checkpoint begins to read; FROM_END: the
        current end.
        """
        if self._settings.start != FROM_END:
            return self._settings.start - 1
        if self._settings.stream != ALL:
            return self._reading.stream(self._settings.stream).last_version
        newest = self._reading.read_log(MAX_VERSION, backwards=True, limit=1)
        return newest[0].position if newest else -1

    def page(self, after: int) -> Page | None:
        """The next page after that version (in ``$all``: position); None at the end."""
        if self._settings.stream == ALL:
            return self._page_of_all(after)
        stream = self._reading.stream(self._settings.stream)
        records = [] if stream.tombstoned else self._visible(stream, after + 1)
        if not records:
            return None
        positions = (record.version for record in records)
        events = list(map(self._event, self._resolved(records), positions))
        return Page(events, len(records), records[-1].version)

    def parked(self, stream: Stream, wanted: range) -> Page:
        """The parked events with these numbers, truncated or not, whose targets still exist."""
        page = self._reading.read_stream(stream, wanted.start, limit=self._batch)
        records = [record for record in page if record.version in wanted]
        up_to = records[-1].version + 1 if records else wanted.stop
        links = resolve_page(self._reading, records)
        events = [
            Message(
                link.original.id, link.original.version, self._source(link), link, replayed=True
            )
            for link in links
            if link.event
        ]
        return Page(events, len(records), up_to)

    def _page_of_all(self, after: int) -> Page | None:
        records = self._reading.read_log(after, limit=self._batch)
        if not records:
            return None
        # A group's own checkpoints must not count, or each would cause the next.
        shown = list(filter(in_all, records))
        wanted = list(filter(self._wanted, shown))
        positions = (record.position for record in wanted)
        events = list(map(self._event, self._resolved(wanted), positions))
        left_out = {record.position for record in shown} - {event.position for event in events}
        return Page(events, len(shown), records[-1].position, max(left_out, default=-1))

    def _visible(self, stream: Stream, version: int) -> list[Record]:
        return read_stream(self._reading, stream, version, limit=self._batch)

    def _resolved(self, records: Sequence[Record]) -> Sequence[Resolved]:
        if self._settings.resolve_links:
            return resolve_page(self._reading, records)
        return [Resolved(record, None) for record in records]

    def _event(self, resolved: Resolved, position: int) -> Event:
        return Message(resolved.original.id, position, self._source(resolved), resolved)

    def _source(self, resolved: Resolved) -> str:
        """The key of the group's strategy: a correlation id, a stream, or nothing."""
        match self._settings.consumer_strategy:
            case "PinnedByCorrelation":
                record = resolved.event or resolved.original
                return _correlation_id(record) or source_stream(resolved)
            case "Pinned":
                return source_stream(resolved)
            case _:
                return ""


def source_stream(resolved: Resolved) -> str:
    """The stream of the event itself, also if the target of its link is missing."""
    record = resolved.event or resolved.original
    if record.type != LINK:
        return record.stream
    return record.data.decode(errors="replace").partition("@")[2] or record.stream


def _correlation_id(record: Record) -> str | None:
    try:
        found = json.loads(record.metadata)["$correlationId"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
