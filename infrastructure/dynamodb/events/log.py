"""The log: the order of all events. Its entries follow one another without a gap.

A writer puts the entry at the end that it has seen, under the condition that there is none, so an
entry is there only if the one before it is. A reader that has come to an end goes on there: it
can neither skip a commit nor find a hole that fills later.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

from application.backoff import Backoff
from application.ports import StoreUnavailable
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.entries import PART, Entry, entry_of
from infrastructure.dynamodb.failures import unavailable
from infrastructure.dynamodb.tables import LOG
from infrastructure.dynamodb.values import number
from infrastructure.signalling import Signal, wait_for

PAGE: Final = 250
"""Entries in one answer, at most."""
_RECENT: Final = 1_000  # entries that are kept in memory
_QUIET: Final = Backoff(0.02, most=0.5, at_least=0.8)  # between two looks at the end


class Log:
    """The log of one database. All readers and writers of a process share it, and what it has read.

    It reads with strong consistency. Every method raises ``StoreUnavailable``.
    """

    def __init__(self, database: Database, quiet: Backoff = _QUIET) -> None:
        """``quiet``: the pauses between two looks at the end, while nothing comes."""
        self._database, self._quiet = database, quiet
        self._recent: deque[Entry] = deque(maxlen=_RECENT)  # without a gap, up to the end
        self._end: int | None = None  # as far as it has been seen
        self._looks = 0  # that found nothing, one after another
        self._changed, self._turn = Signal(), asyncio.Lock()

    async def end(self) -> int:
        """The position that the next event will have, as far as this process has seen."""
        return await self.refresh() if self._end is None else self._end

    async def refresh(self) -> int:
        """The same, as the server has it now."""
        if self._end is None:
            self._end = await self._find_end(0)
            return self._end
        begin = -1
        while begin != self._end:
            begin = self._end
            found, more = await self._page(begin)
            self.note(found)
            if more:  # far behind: what lies between need not be read
                self._recent.clear()
                self._end = max(self._end, await self._find_end(self._end))
                break
        return self._end

    def note(self, entries: Sequence[Entry]) -> None:
        """These entries are in the log, each where the one before ends."""
        for entry in entries:
            if entry.first == self._end:
                self._recent.append(entry)
                self._end = entry.end
        if entries:
            self._looks = 0
            self._changed.send()

    async def begin(self, after: int) -> int:
        """The beginning of the entry that holds the first event after that position; for a
        position at the end or beyond it, the end."""
        if after + 1 == self._end:
            return after + 1
        if entry := self._holding(after + 1):
            return entry.first
        part = (after + 1) // PART
        for place in (part, part - 1):
            if place >= 0 and (entry := await self._last(place, after + 1)):
                return entry.first if entry.end > after + 1 else entry.end
        return 0 if after < PART else await self._find_end(0)

    async def entry(self, position: int) -> Entry:
        """The entry that holds an event."""
        if known := self._holding(position):
            return known
        begin = await self.begin(position - 1)
        for entry in await self.read(begin):
            if entry.first <= position < entry.end:
                return entry
        raise StoreUnavailable(f"DynamoDB: the log has no event at position {position}")

    async def read(self, begin: int) -> Sequence[Entry]:
        """Some entries from ``begin`` on, which is the beginning of one; none at the end."""
        if found := self._known(begin):
            return found
        found, _ = await self._page(begin)
        self.note(found)
        return found

    async def before(self, end: int, limit: int) -> Sequence[Entry]:
        """At most ``limit`` entries that begin before ``end``, newest first; fewer only at the
        beginning of the log."""
        found: list[Entry] = []
        for part in range((end - 1) // PART, -1, -1):
            more = len(found) < limit
            while more and len(found) < limit:
                some, more = await self._query(
                    part, "#p < :p", end, forward=False, limit=min(limit - len(found), PAGE)
                )
                found += some
                end = some[-1].first if some else end
        return found

    async def wait(self, begin: int) -> None:
        """Return when there is an entry at ``begin``, the end when it was last read.

        Commits of this process are announced. For others, one of those that wait looks.
        """
        while True:
            change = self._changed.next
            if self._beyond(begin):
                return
            if self._turn.locked():
                await wait_for(change, self._quiet.most)
                continue
            async with self._turn:
                await wait_for(change, self._quiet.seconds(self._looks, 0.5))
                if not self._beyond(begin):
                    self._looks += 1
                    await self.refresh()

    def _beyond(self, begin: int) -> bool:
        return self._end is not None and begin < self._end

    def _holding(self, position: int) -> Entry | None:
        if not self._recent or position < self._recent[0].first:
            return None
        found = (entry for entry in reversed(self._recent) if entry.first <= position)
        entry = next(found, None)
        return entry if entry and position < entry.end else None

    def _known(self, begin: int) -> Sequence[Entry]:
        if not self._recent or begin < self._recent[0].first:
            return []
        known = list(takewhile(lambda entry: entry.first >= begin, reversed(self._recent)))
        return known[::-1]

    async def _page(self, begin: int) -> tuple[Sequence[Entry], bool]:
        """Entries from there on, and whether there may be more. Raises ``StoreUnavailable`` where
        the log has lost an entry."""
        found, more = await self._query(begin // PART, "#p >= :p", begin, forward=True, limit=PAGE)
        place = begin
        for entry in found:
            if entry.first != place:
                raise StoreUnavailable(
                    f"DynamoDB: the log has lost its events from position {place} on, and goes on "
                    f"with {entry.first}: restore the table {self._database.table(LOG.name)}"
                )
            place = entry.end
        return found, more

    async def _last(self, part: int, until: int | None = None) -> Entry | None:
        """The last entry of a part that begins at ``until`` or before."""
        limit = (part + 1) * PART if until is None else until
        found, _ = await self._query(part, "#p <= :p", limit, forward=False, limit=1)
        return found[0] if found else None

    async def _find_end(self, seen: int) -> int:
        """An end that was seen, or a later one: the last part is found by doubling the step."""
        part, step = seen // PART, 1
        while (await self._last(part + step)) is not None:
            part, step = part + step, step * 2
        while step > 1:  # it is before part + step
            step //= 2
            if (await self._last(part + step)) is not None:
                part += step
        last = await self._last(part)
        return max(seen, last.end) if last else seen

    async def _query(
        self, part: int, condition: str, position: int, *, forward: bool, limit: int
    ) -> tuple[Sequence[Entry], bool]:
        question: Mapping[str, Any] = {
            "TableName": self._database.table(LOG.name),
            "KeyConditionExpression": f"#part = :part AND {condition}",
            "ExpressionAttributeNames": {"#part": "part", "#p": "position"},
            "ExpressionAttributeValues": {":part": number(part), ":p": number(position)},
            "ConsistentRead": True,
            "ScanIndexForward": forward,
            "Limit": limit,
        }
        with unavailable():
            answer = await self._database.client.query(**question)
        return [entry_of(item) for item in answer["Items"]], "LastEvaluatedKey" in answer
