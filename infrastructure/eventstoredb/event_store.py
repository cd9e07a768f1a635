"""Streams in EventStoreDB."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from functools import partial
from typing import Final

from esdbclient.exceptions import NotFound, StreamIsDeleted

from application.messages import Decoder, NewEvent, RecordedEvent
from application.ports import (
    Appended,
    StoreUnavailable,
    StreamDeleted,
    StreamHasHole,
    require_append,
    require_version,
)
from infrastructure.eventstoredb.batch_append import Append, BatchAppends
from infrastructure.eventstoredb.client import (
    DEADLINE,
    Client,
    answering,
    as_recorded,
    unavailable,
)
from infrastructure.eventstoredb.deletions import is_deleted
from infrastructure.eventstoredb.places import required
from infrastructure.eventstoredb.reads import read

_PATIENCE: Final = 3.0  # seconds for an answer; the server itself gives up a write after 2
_FIRST_LOOK: Final = 0.2  # seconds without any answer: twice that until the next look, and so on
_ATTEMPTS: Final = 2
_SURE_FOR: Final = 1.0  # seconds that a stream without events is not asked for its deletion again
_REMEMBERED: Final = 1_000  # such streams
_SYSTEM: Final = "$"  # how the names of its streams begin


class EventStore:
    """An :class:`~application.ports.EventStore`.

    Links are resolved in system streams (``$ce-order``) only. In other streams, a link was written
    by another client, and its target is not an event of that stream.
    """

    def __init__(
        self,
        client: Client,
        decoder: Decoder,
        *,
        moment: float = 0.0,
        patience: float = _PATIENCE,
    ) -> None:
        """An append is looked up and repeated after ``patience`` seconds without an answer.

        ``moment``: while several are under way, appends are sent together, so many seconds after
        the last ones.
        """
        self._client, self._decoder, self._patience = client, decoder, patience
        self._appends = BatchAppends(client, moment)
        self._never_there: dict[str, float] = {}  # streams, and when that was known

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """As the port, within ``DEADLINE`` seconds. What is not answered is unknown, not failed:
        the server says nothing to an append that repeats one which is not committed yet. So it is
        looked for in the stream, then repeated, which the exact version makes safe."""
        require_append(stream, events, expected_version)
        append = Append(stream, expected_version, events)
        self._never_there.pop(stream, None)
        try:
            with _deleted(stream):
                appended = await self._at_once(append) or await self._patiently(append)
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"it is not known what became of an append to {stream!r}: it may be there, or come "
                f"yet; repeat it with the same ids ({error})"
            ) from error
        finally:
            self._appends.forget(append)
        if appended.version != expected_version + len(events):
            raise StreamDeleted(stream)  # the server has started it again, after the hidden events
        return appended

    async def _at_once(self, append: Append) -> Appended | None:
        """Its answer, if that comes soon, as nearly always: without the tasks and timers of the
        rest."""
        try:
            answer = self._appends.begin(append, self._patience)
        except Exception:  # whatever it is: it is met again, and handled
            return None
        await asyncio.wait([answer], timeout=_FIRST_LOOK)
        return self._appends.settled(append)

    async def _patiently(self, append: Append) -> Appended:
        async with answering():
            for _ in range(_ATTEMPTS):
                if appended := await self._attempt(append):
                    return appended
        raise StoreUnavailable(f"EventStoreDB has not answered within {self._patience:g} s")

    async def _attempt(self, append: Append) -> Appended | None:
        answer = asyncio.create_task(self._appends.append(append, self._patience))
        pause = _FIRST_LOOK
        try:
            while not (await asyncio.wait([answer], timeout=pause))[0]:
                if not self._appends.passed_over(append, pause):
                    continue  # the server is slow, and reads would make it slower
                with suppress(StoreUnavailable):  # the answer may come yet
                    if found := await self._look(append):
                        return found
                pause *= 2
            return await self._answered(answer) or await self._look(append)
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)  # so that nothing is left running

    async def _answered(self, answer: asyncio.Task[Appended | None]) -> Appended | None:
        with suppress(StoreUnavailable), unavailable():
            return await answer
        return None

    async def _look(self, append: Append) -> Appended | None:
        """Where the events of an append are, if they are in the stream already."""
        ids = [event.id for event in append.events]
        reading = self._read(append.stream, append.expected + 1, False, len(ids), DEADLINE)
        there: list[RecordedEvent] = []
        with suppress(NotFound):
            there = [recorded async for recorded, _ in reading]
        if [recorded.id for recorded in there] != ids:
            return None
        return Appended(there[-1].version, there[-1].position)

    async def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        if limit == 0:
            return  # the server takes 0 for a mistake
        within = DEADLINE if limit else None
        expected, checked = from_version, not (backwards or stream.startswith(_SYSTEM))
        reading = self._read(stream, from_version, backwards, limit, within)
        try:
            async for recorded, version in reading:
                if checked:
                    require_version(stream, expected, version)
                    expected += 1
                yield recorded
        except NotFound:
            await self._require_never_there(stream)
        else:
            if checked and expected == 0:  # the stream is there, and none of its events is shown
                raise StreamHasHole(stream, 0)

    async def _require_never_there(self, stream: str) -> None:
        """The stream was not found: it was deleted, or it never existed.

        One that never existed a moment ago does not now, unless it was begun and deleted since.
        """
        now = asyncio.get_running_loop().time()
        if now - self._never_there.get(stream, -_SURE_FOR) < _SURE_FOR:
            return
        if await is_deleted(self._client, stream):
            raise StreamDeleted(stream)
        if len(self._never_there) >= _REMEMBERED:
            self._never_there.clear()
        self._never_there[stream] = now

    async def _read(
        self,
        stream: str,
        from_version: int,
        backwards: bool,
        limit: int | None,
        within: float | None,
    ) -> AsyncIterator[tuple[RecordedEvent, int]]:
        """Each event with its version in the stream that is read. Raises ``NotFound``."""
        begin = partial(
            self._client.read_stream,
            stream,
            stream_position=None if backwards else from_version,
            backwards=backwards,
            resolve_links=stream.startswith(_SYSTEM),
            limit=limit or sys.maxsize,
            timeout=within,
        )
        async with aclosing(read(self._client, begin)) as events:
            with _deleted(stream):
                async for found in events:
                    there = found.link if found.HasField("link") else found.event
                    version = required(there.stream_revision, "the version of an event")
                    if version < from_version:
                        return
                    yield as_recorded(found.event, self._decoder), version


@contextmanager
def _deleted(stream: str) -> Iterator[None]:
    try:
        yield
    except StreamIsDeleted:
        raise StreamDeleted(stream) from None
