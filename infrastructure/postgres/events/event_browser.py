"""Looking around in the table of events, by its indexes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from application.messages import Decoder, RecordedEvent
from application.paging import LAST
from application.ports import NEWEST, Found, Reading, StreamSeen, Total, Wanted
from infrastructure.browsing import lost_beginning, page_of, place_in, position, version
from infrastructure.postgres.events.horizon import Horizon
from infrastructure.postgres.events.rows import COLUMNS, fetch_from, recorded
from infrastructure.postgres.pools import Pool

LOOK: Final = 5_000
"""Rows that are looked through for a page, at most, where no index gives exactly its events."""
COUNTED: Final = 10_000
"""Rows of an index that are counted for the total of a list, at most: a few milliseconds."""
_LAST: Final = 2**62  # beyond every position


@dataclass(frozen=True)
class Which:
    """Events that an index gives, and which of these are kept."""

    indexed: str
    kept: str = "true"
    values: Mapping[str, object] = field(default_factory=dict)


class EventBrowser:
    """The :class:`~application.ports.EventBrowser` of one database."""

    def __init__(self, pool: Pool, horizon: Horizon, decoder: Decoder, *, look: int = LOOK) -> None:
        """``look``: rows that are looked through for a page, at most."""
        self._pool, self._horizon, self._decoder, self._look = pool, horizon, decoder, look

    async def events(self, wanted: Wanted, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        return await self._page(which(wanted), reading)

    async def stream(self, name: str, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        after = place_in(reading)
        place = after if after is not None else _LAST if reading.newest_first else -1
        question = _ordered(_OF_STREAM, reading)
        rows = await fetch_from(self._pool, question, [name, place, reading.limit + 1])
        found = page_of([recorded(row, self._decoder) for row in rows], version, reading)
        ((first,),) = await fetch_from(self._pool, _FIRST, [name])
        return replace(found, lacks=[lost_beginning(name, first)]) if first else found

    async def event(self, id: UUID) -> Found[RecordedEvent]:
        rows = await fetch_from(self._pool, _BY_ID, [id])
        return Found([recorded(row, self._decoder) for row in rows])

    async def streams(
        self, category: str | None = None, prefix: str = "", reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        found = await self._page(begun(category, prefix), reading)
        last = await self._last([one.stream for one in found.items])
        seen = [StreamSeen(one.stream, last.get(one.stream)) for one in found.items]
        return Found(seen, found.begins, found.reached, found.more, total=found.total)

    async def changed(
        self, category: str | None = None, reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        of = "true" if category is None else "stream_type = %(category)s"
        found = await self._page(Which(of, IS_LAST, {"category": category}), reading)
        seen = [StreamSeen(one.stream, one) for one in found.items]
        total = await self._total(found, begun(category))
        return Found(seen, found.begins, found.reached, found.more, total=total)

    async def _page(self, page: Which, reading: Reading) -> Found[RecordedEvent]:
        after, limit = place_in(reading), reading.limit + 1
        look = limit if page.kept == "true" else max(self._look, limit)
        start = after if after is not None else _LAST if reading.newest_first else -1
        readable, _ = await self._horizon.readable()
        place = {"after": start, "readable": readable, "limit": limit, "look": look}
        question = question_for(page, reading)
        rows = await fetch_from(self._pool, question, {**page.values, **place})
        looked, reached, *_ = rows[0]
        found = [recorded(row[2:], self._decoder) for row in rows if row[2] is not None]
        read = page_of(found, position, reading, reached=reached, more=looked == look)
        return replace(read, total=await self._total(read, page))

    async def _total(self, found: Found[RecordedEvent], which: Which) -> Total | None:
        """As the page knows it; or how many the index gives, up to a limit."""
        if which.kept != "true" or (found.total and found.total.exact):
            return found.total
        question = _COUNT.format(indexed=which.indexed)
        ((number,),) = await fetch_from(self._pool, question, {**which.values, "most": COUNTED})
        return Total(number) if number < COUNTED else Total(COUNTED, "at least")

    async def _last(self, streams: Collection[str]) -> Mapping[str, RecordedEvent]:
        rows = await fetch_from(self._pool, _LAST_OF, [list(streams)])
        return {one.stream: one for one in (recorded(row, self._decoder) for row in rows)}


def begun(category: str | None, prefix: str = "") -> Which:
    """The first events of streams whose names begin so: a range, as names are ordered by byte."""
    of = "version = 0" if category is None else "version = 0 AND stream_type = %(category)s"
    if prefix:
        of += " AND stream_id BETWEEN %(prefix)s AND %(behind)s"
    return Which(of, values={"category": category, "prefix": prefix, "behind": prefix + LAST})


def which(wanted: Wanted) -> Which:
    """The most selective index first; what else is wanted is compared with its events."""
    conditions = [
        _CORRELATED if wanted.correlation_id is not None else None,
        "event_type = %(type)s" if wanted.type is not None else None,
        "stream_type = %(category)s" if wanted.category is not None else None,
    ]
    indexed, *kept = [one for one in conditions if one] or ["true"]
    return Which(indexed, " AND ".join(kept) or "true", vars(wanted))


def question_for(which: Which, reading: Reading) -> str:
    """The query of a page."""
    return _ordered(_PAGE.format(indexed=which.indexed, kept=which.kept), reading)


def _ordered(question: str, reading: Reading) -> str:
    """The question with ``ASCENDING`` and ``BEHIND`` in the order of the page."""
    newest = reading.newest_first
    question = question.replace("BEHIND", "<" if newest else ">")
    return question.replace("ASCENDING", "DESC" if newest else "ASC")


_CORRELATED: Final = "metadata ->> '$correlationId' = %(correlation_id)s"
IS_LAST: Final = """NOT EXISTS (
    SELECT FROM events AS later
    WHERE later.stream_id = looked.stream_id AND later.version > looked.version
)"""
_PAGE: Final = f"""
WITH looked AS MATERIALIZED (
    SELECT global_position, stream_id, stream_type, event_type, version FROM events
    WHERE {{indexed}} AND global_position BEHIND %(after)s AND global_position <= %(readable)s
    ORDER BY global_position ASCENDING LIMIT %(look)s
), kept AS (
    SELECT global_position AS at FROM looked WHERE {{kept}}
    ORDER BY global_position ASCENDING LIMIT %(limit)s
), found AS (
    SELECT {COLUMNS} FROM kept JOIN events ON global_position = at
)
SELECT counted, reached, found.* FROM (
    SELECT count(*) AS counted, (SELECT global_position FROM looked
        ORDER BY global_position ASCENDING OFFSET greatest((SELECT count(*) FROM looked) - 1, 0)
        LIMIT 1) AS reached
    FROM looked
) AS summary LEFT JOIN found ON true
ORDER BY global_position ASCENDING
"""
_COUNT: Final = """
SELECT count(*) FROM (SELECT FROM events WHERE {indexed} LIMIT %(most)s) AS counted
"""
_OF_STREAM: Final = f"""
SELECT {COLUMNS} FROM events WHERE stream_id = %s AND version BEHIND %s
ORDER BY version ASCENDING LIMIT %s
"""
_FIRST: Final = "SELECT min(version) FROM events WHERE stream_id = %s"
_BY_ID: Final = f"SELECT {COLUMNS} FROM events WHERE event_id = %s"
_LAST_OF: Final = f"""
SELECT {COLUMNS} FROM unnest(%s::text[]) AS wanted (stream), LATERAL (
    SELECT * FROM events WHERE stream_id = stream ORDER BY version DESC LIMIT 1
) AS last
"""
