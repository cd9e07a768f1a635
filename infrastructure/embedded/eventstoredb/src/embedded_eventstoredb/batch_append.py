"""One BatchAppend call: it reads requests while earlier appends are being committed."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial
from typing import Any, Final

import grpc
from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from embedded_eventstoredb.append_replies import (
    batch_appended,
    batch_late,
    batch_refused,
    time_left,
    until_commit_timeout,
)
from embedded_eventstoredb.drafts import Draft, Drafting
from embedded_eventstoredb.errors import (
    NotCommitted,
    Refusal,
    invalid_argument,
    unavailable,
)
from embedded_eventstoredb.storage import Appended, Storage, StorageUnavailable
from embedded_eventstoredb.wire import id_bytes

_AHEAD: Final = 512  # limit of unanswered appends of one call
_AHEAD_BYTES: Final = 8 << 20
_WRITE_TIMEOUT: Final = 2.0  # seconds within which all parts of an append must arrive

_Context = grpc.aio.ServicerContext[Any, Any]
_Request = streams_pb2.BatchAppendReq
_Response = streams_pb2.BatchAppendResp


class BatchAppend:
    """Appends of many streams over one call, each in one or several parts and atomic.

    They are written in the order in which they become complete. Each is answered as soon as
    possible: a refusal may overtake answers that wait for the disk.
    """

    def __init__(self, storage: Storage, drafting: Drafting, context: _Context) -> None:
        self._storage = storage
        self._drafting = drafting
        self._context = context
        self._drafts: dict[bytes, Draft] = {}
        self._answers: deque[_Response | BaseException | None] = deque()
        self._listener: asyncio.Future[None] | None = None
        self._waiting: dict[asyncio.Future[Appended], int] = {}
        self._bytes = 0
        self._dropped = 0
        self._room = asyncio.Event()
        self._read_all = False

    async def answers(self, requests: AsyncIterator[_Request]) -> AsyncGenerator[_Response, None]:
        """All answers, also those after the client's last request.

        Raises a Refusal that ends the whole call. When this generator is closed, appends whose
        writing has not begun are not written.
        """
        reading = asyncio.create_task(self._read(requests))
        try:
            while (answer := await self._next_answer()) is not None:
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
                self._room.set()
        finally:
            reading.cancel()
            for waiting in list(self._waiting):
                waiting.cancel()

    async def _next_answer(self) -> _Response | BaseException | None:
        if not self._answers:
            self._listener = asyncio.get_running_loop().create_future()
            await self._listener
        return self._answers.popleft()

    def _put(self, answer: _Response | BaseException | None) -> None:
        self._answers.append(answer)
        if self._listener is not None and not self._listener.done():
            self._listener.set_result(None)

    async def _read(self, requests: AsyncIterator[_Request]) -> None:
        try:
            with self._storage.arriving():
                first = await anext(requests, None)
            if first is not None:
                self._take(first)
            async for request in requests:
                self._take(request)
                while self._is_ahead():
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:  # any error ends the call
            self._put(error)
        self._read_all = True
        self._end_when_answered()

    def _is_ahead(self) -> bool:
        """Whether the limit of unanswered appends, or of their bytes, is reached."""
        unanswered = len(self._waiting) + len(self._answers)
        return unanswered >= _AHEAD or self._bytes > _AHEAD_BYTES

    def _take(self, request: _Request) -> None:
        """Take a part; after the final one, the append is handed in."""
        name = request.options.stream_identifier.stream_name
        try:
            key = _key(request)
            draft = self._drafts.pop(key, None) or self._begin(key, request)
            if draft is None:  # too late, or the rest of a refused append
                return
            name = draft.stream.encode()
            draft.add(request.proposed_messages)
            if request.is_final:
                self._hand_in(draft, request.correlation_id)
            else:
                self._drafts[key] = draft
        except Refusal as refusal:
            self._put(batch_refused(request.correlation_id, name, refusal))

    def _begin(self, key: bytes, request: _Request) -> Draft | None:
        options, correlation = request.options, request.correlation_id
        if not request.HasField("options"):
            return None
        draft = self._drafting.draft(
            options, "expected_stream_position", options.stream_position, self._context
        )
        left = min(time_left(options), _WRITE_TIMEOUT)
        if left <= 0:
            self._put(batch_late(correlation, draft.stream.encode()))
            return None
        if not request.is_final:
            loop = asyncio.get_running_loop()
            loop.call_later(left, self._expire, key, draft, correlation)
        return draft

    def _expire(self, key: bytes, draft: Draft, correlation: shared_pb2.UUID) -> None:
        """Answer and forget an append whose last part did not arrive in time."""
        if self._drafts.get(key) is draft:
            del self._drafts[key]
            self._put(batch_late(correlation, draft.stream.encode()))

    def _hand_in(self, draft: Draft, correlation: shared_pb2.UUID) -> None:
        answered = partial(self._answer, correlation, draft.stream.encode())
        waiting = self._storage.hand_in(draft.append, answered)
        self._waiting[waiting] = draft.size
        self._bytes += draft.size

    def _answer(
        self, correlation: shared_pb2.UUID, name: bytes, written: asyncio.Future[Appended]
    ) -> None:
        self._bytes -= self._waiting.pop(written)
        self._room.set()
        if written.cancelled():
            return
        match written.exception():
            case None:
                self._put(batch_appended(correlation, name, written.result()))
            case Refusal() as refusal:
                self._put(batch_refused(correlation, name, refusal))
            case NotCommitted():
                self._dropped += 1
                loop = asyncio.get_running_loop()
                loop.call_later(until_commit_timeout(), self._time_out, correlation, name)
            case StorageUnavailable() as error:
                self._put(unavailable(str(error)))
            case error:
                self._put(error)
        self._end_when_answered()

    def _time_out(self, correlation: shared_pb2.UUID, name: bytes) -> None:
        self._dropped -= 1
        self._put(batch_late(correlation, name))
        self._end_when_answered()

    def _end_when_answered(self) -> None:
        if self._read_all and not self._waiting and not self._dropped:
            self._put(None)


def _key(request: _Request) -> bytes:
    """The key of an append within its call. Raises a Refusal."""
    if request.correlation_id.WhichOneof("value") is None:
        raise invalid_argument("Value cannot be null. (Parameter 'dto')")  # the server's own words
    return id_bytes(request.correlation_id)
