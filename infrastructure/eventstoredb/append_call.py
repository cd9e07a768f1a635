"""One BatchAppend call with many appends under way: each request gets the answer of its id."""

import asyncio
from collections import deque

from esdbclient.common import AsyncGrpcStreamer
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp
from grpc.aio import StreamStreamCall

from application.ports import StoreUnavailable
from infrastructure.eventstoredb.client import Client, in_the_clients_words

Answer = asyncio.Future[BatchAppendResp]
_GONE = "the connection was closed"


class AppendCall(AsyncGrpcStreamer):
    """Requests are sent in the order in which they are given; answers come in any order.

    The client stops it when it closes the connection, as it does its own calls.
    """

    def __init__(self, client: Client, apart: float = 0.0) -> None:
        """Begin the call, to the leader. Raises the client's errors.

        ``apart``: while several wait for their answers, requests are sent together, so many seconds
        after the last ones.
        """
        self._connection, self._loop = client._connection, asyncio.get_running_loop()
        super().__init__(self._connection._grpc_streamers)
        self._unsent: deque[tuple[BatchAppendReq, Answer]] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._waiting: dict[str, tuple[int, Answer]] = {}
        self._heard, self._sent, self._apart = self._loop.time(), -apart, apart
        self._asked = self._reached = 0
        self._ended = self._retired = False
        streams = self._connection.streams
        self._call: StreamStreamCall[BatchAppendReq, BatchAppendResp] = streams._stub.BatchAppend(
            self,
            metadata=streams._metadata(client._call_metadata, requires_leader=True),
            credentials=client._call_credentials,
        )
        self._reading = self._loop.create_task(self._read())

    def serves(self, client: Client) -> bool:
        """Whether further requests may be given to it, on the client's connection of today."""
        return not (self._ended or self._retired) and client._connection is self._connection

    def ask(self, request: BatchAppendReq) -> Answer:
        """The answer, or the error with which the call ended. Once cancelled, a request that has
        not been sent is not sent."""
        answer: Answer = self._loop.create_future()
        self._asked += 1
        self._waiting[request.correlation_id.string] = self._asked, answer
        self._unsent.append((request, answer))
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
        return answer

    def passes_over(self, id: str, seconds: float) -> bool:
        """Whether the request of that id may never be answered: later ones have been, or none at
        all for so many ``seconds``.
        """
        number, _ = self._waiting.get(id, (self._asked, None))
        return self._reached > number or self._loop.time() - self._heard >= seconds

    def retire(self) -> None:
        """Take no further requests; end when those that wait have their answers."""
        self._retired = True
        self._end_if_done()

    async def stop(self) -> None:
        """End the call; what waits gets :class:`StoreUnavailable`."""
        self._call.cancel()

    def __aiter__(self) -> "AppendCall":
        return self

    async def __anext__(self) -> BatchAppendReq:
        """The next request, for gRPC to send."""
        while True:
            while self._unsent:
                request, answer = self._unsent.popleft()
                if not answer.done():
                    self._sent = self._loop.time()
                    return request
            self._arrival = self._loop.create_future()
            await self._arrival
            if len(self._waiting) > 1:
                await asyncio.sleep(self._sent + self._apart - self._loop.time())

    async def _read(self) -> None:
        error: Exception = StoreUnavailable("EventStoreDB has ended the call of an append")
        try:
            with in_the_clients_words():
                async for answer in self._call:
                    self._give(answer)
        except asyncio.CancelledError:  # the channel, or this task, is closed
            error = StoreUnavailable(_GONE)
        except Exception as failure:  # whatever it is: each append gets it
            error = failure
        self._ended = True
        self._call.cancel()
        for _, waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
        self._waiting.clear()

    def _give(self, answer: BatchAppendResp) -> None:
        self._heard = self._loop.time()
        if found := self._waiting.pop(answer.correlation_id.string, None):
            number, waiting = found
            self._reached = max(self._reached, number)
            if not waiting.done():  # its caller may have left
                waiting.set_result(answer)
        if self._retired:
            self._end_if_done()

    def _end_if_done(self) -> None:
        if all(waiting.done() for _, waiting in self._waiting.values()):
            self._call.cancel()
