"""Concurrent readers: they take turns, and the memory of all of them together is bounded.

A reader reads a page from the log and delivers it at the pace of its client, which may not read at
all. So the undelivered pages of all readers are bounded together: the oldest page is dropped, and
read again when its reader needs it. On the event loop, only a few readers proceed at a time, so
that other clients do not wait for all of them.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Sequence
from typing import Final, Protocol

from embedded_eventstoredb.records import payload
from embedded_eventstoredb.storage import Reading, Record, Stream
from embedded_eventstoredb.streams import read_stream

READ_AT_ONCE: Final = 128
"""Maximum records of a reader's page."""

_HELD: Final = 32 << 20  # bytes
_AT_A_TIME: Final = 8  # in one iteration of the event loop
_FEW: Final = 64
_FEW_BYTES: Final = 1 << 15
_RECORD: Final = 800  # bytes of a record besides its data, approximately


class Reader(Protocol):
    """Reads records in an order of its own."""

    def read_page(self) -> list[Record]:
        """The records after the one delivered last; empty at the end."""
        ...

    def handed_out(self, records: Sequence[Record]) -> None:
        """Record that these records, one or more, were delivered."""
        ...


class LogReader:
    """Reads ``$all`` from after a position, or backwards from before it."""

    def __init__(self, reading: Reading, position: int, *, backwards: bool) -> None:
        self._reading = reading
        self._position = position
        self._backwards = backwards

    def read_page(self) -> list[Record]:
        at, backwards = self._position, self._backwards
        return self._reading.read_log(at, backwards=backwards, limit=READ_AT_ONCE)

    def handed_out(self, records: Sequence[Record]) -> None:
        self._position = records[-1].position


class StreamReader:
    """Reads the visible records of a stream from a version on, inclusive, at most ``count``."""

    def __init__(
        self, reading: Reading, stream: Stream, version: int, count: int, *, backwards: bool
    ) -> None:
        self._reading = reading
        self._stream = stream
        self._version = version
        self._left = count
        self._backwards = backwards

    def read_page(self) -> list[Record]:
        limit = min(self._left, READ_AT_ONCE)
        if not limit or self._version < 0:
            return []
        at, backwards = self._version, self._backwards
        return read_stream(self._reading, self._stream, at, backwards=backwards, limit=limit)

    def handed_out(self, records: Sequence[Record]) -> None:
        self._version = records[-1].version + (-1 if self._backwards else 1)
        self._left -= len(records)


class Readers:
    """The readers of one node. Must be used on the event loop's thread."""

    def __init__(self, *, held: int = _HELD, at_a_time: int = _AT_A_TIME) -> None:
        """Pages take at most ``held`` bytes, or one page, if that is larger."""
        self._most = held
        self._pages: OrderedDict[Reader, tuple[list[Record], int]] = OrderedDict()
        self._at_a_time = at_a_time
        self._had_a_turn: set[object] = set()
        self._waiting: deque[tuple[object, asyncio.Future[None]]] = deque()
        self.held = 0
        """Bytes of the pages of all readers, approximately."""

    async def next(self, reader: Reader) -> list[Record]:
        """The next few records of a reader; empty at the end, when its page is released."""
        page, size = self._pages.get(reader, (None, 0))
        if not page:
            await self.turn(reader)
            if size:
                await asyncio.sleep(0)  # a reader that reads on and on must not block the others
            page = self._read(reader)
        records = _few(page)
        if records:
            reader.handed_out(records)
        return records

    async def all(self, reader: Reader) -> AsyncGenerator[list[Record], None]:
        """All records of a reader, a few at a time."""
        try:
            while records := await self.next(reader):
                yield records
        finally:
            self.leave(reader)

    def leave(self, reader: Reader) -> None:
        """Release the page of a reader that has finished."""
        _, size = self._pages.pop(reader, ([], 0))
        self.held -= size

    def may_go_on(self, caller: object) -> bool:
        """Whether the caller may send a message or read a page now.

        It may while few others have done so in this iteration. If it may not, it waits for its
        ``turn``.
        """
        if caller in self._had_a_turn:
            return True
        if len(self._had_a_turn) >= self._at_a_time:
            return False
        self._had_a_turn.add(caller)
        return True

    async def turn(self, caller: object) -> None:
        """Wait until the caller may go on."""
        if self.may_go_on(caller):
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((caller, turn))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._next_round)
        await turn

    def _next_round(self) -> None:
        self._had_a_turn.clear()
        while self._waiting and len(self._had_a_turn) < self._at_a_time:
            caller, turn = self._waiting.popleft()
            if not turn.done():  # the caller was cancelled
                turn.set_result(None)
                self._had_a_turn.add(caller)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next_round)

    def _read(self, reader: Reader) -> list[Record]:
        """A new page, last record first, so that delivered records are popped from its end."""
        self.leave(reader)
        page = reader.read_page()
        if page:
            page.reverse()
            size = payload(page) + len(page) * _RECORD
            self._pages[reader] = (page, size)
            self.held += size
            while self.held > self._most and len(self._pages) > 1:
                self.leave(next(iter(self._pages)))
        return page


def _few(page: list[Record]) -> list[Record]:
    """The next records of a page, taken from its end."""
    if len(page) <= _FEW and payload(page) <= _FEW_BYTES:
        records = page[::-1]
        page.clear()
        return records
    records = []
    room = _FEW_BYTES
    while page and room > 0 and len(records) < _FEW:
        records.append(page.pop())
        room -= len(records[-1].data) + len(records[-1].metadata)
    return records
