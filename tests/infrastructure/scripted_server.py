"""A server that answers as a test tells it to: with what a real EventStoreDB was seen to send."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from esdbclient.protos.Grpc import (
    persistent_pb2_grpc,
    projections_pb2_grpc,
    shared_pb2,
    streams_pb2_grpc,
)
from esdbclient.protos.Grpc.persistent_pb2 import ReadResp as PersistentResp
from esdbclient.protos.Grpc.projections_pb2 import StatisticsResp
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp, ReadReq, ReadResp

from application.messages import NewEvent
from infrastructure import eventstoredb
from infrastructure.eventstoredb import Client

NOWHERE = 2**64 - 1  # what the server writes for -1
CAUGHT_UP = ReadResp(caught_up=ReadResp.CaughtUp())


def checkpoint(commit: int, prepare: int) -> ReadResp:
    return ReadResp(
        checkpoint=ReadResp.Checkpoint(commit_position=commit, prepare_position=prepare)
    )


def recorded(event: NewEvent, stream: str, version: int, position: int) -> ReadResp:
    """The event, as read from there."""
    return ReadResp(
        event=ReadResp.ReadEvent(
            event=ReadResp.ReadEvent.RecordedEvent(
                id=shared_pb2.UUID(string=str(event.id)),
                stream_identifier=shared_pb2.StreamIdentifier(stream_name=stream.encode()),
                stream_revision=version,
                prepare_position=position,
                commit_position=position,
                metadata={"type": event.type, "created": "17000000000000000"},
                custom_metadata=event.metadata.to_json(),
                data=event.data,
            ),
            commit_position=position,
        )
    )


class Script(streams_pb2_grpc.StreamsServicer):
    """What is answered to reads, subscriptions and appends: change it as the test goes on."""

    def __init__(self) -> None:
        self.read: Callable[[ReadReq], Iterable[ReadResp]] = lambda _: ()
        self.subscription: Iterable[ReadResp] = ()
        self.confirms, self.lasts = True, True  # as for subscriptions
        self.append: Callable[[BatchAppendReq], BatchAppendResp | None] = lambda _: None
        self.append_later: Callable[[BatchAppendReq], Awaitable[BatchAppendResp | None]] | None
        self.append_later = None  # as ``append``, but it may wait
        self.breaks, self.calls = 0, 0  # calls of appends that break at once, and all
        self.appends: list[BatchAppendReq] = []
        self.reads = 0  # that were asked for
        self.answering = 0  # calls of appends that are under way

    async def Read(self, request: ReadReq, _: Any) -> AsyncIterator[ReadResp]:  # noqa: N802 - as the protocol has it
        if request.options.WhichOneof("count_option") == "subscription":
            async for message in self._subscription():
                yield message
            return
        self.reads += 1
        for message in self.read(request):
            yield message

    async def _subscription(self) -> AsyncIterator[ReadResp]:
        if self.confirms:
            yield ReadResp(confirmation=ReadResp.SubscriptionConfirmation(subscription_id="1"))
            for message in self.subscription:
                yield message
        if self.lasts:
            await asyncio.Event().wait()  # until it is cancelled

    async def BatchAppend(  # noqa: N802 - as above
        self, requests: AsyncIterator[BatchAppendReq], context: Any
    ) -> AsyncIterator[BatchAppendResp]:
        self.answering += 1
        self.calls += 1
        answers = asyncio.Queue[BatchAppendResp]()
        reading = asyncio.create_task(self._take(requests, answers, context))
        try:
            while True:
                yield await answers.get()
        finally:
            reading.cancel()
            self.answering -= 1

    async def _take(
        self,
        requests: AsyncIterator[BatchAppendReq],
        answers: asyncio.Queue[BatchAppendResp],
        context: Any,
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for request in requests:
                if self.breaks:
                    self.breaks -= 1
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "broken")
                self.appends.append(request)
                tasks.create_task(self._answer(request, answers))

    async def _answer(
        self, request: BatchAppendReq, answers: asyncio.Queue[BatchAppendResp]
    ) -> None:
        later = await self.append_later(request) if self.append_later else None
        if answer := later or self.append(request):
            answer.correlation_id.CopyFrom(request.correlation_id)
            answers.put_nowait(answer)


class _Silent(projections_pb2_grpc.ProjectionsServicer):
    """No question about a projection is ever answered."""

    async def Statistics(self, _: Any, __: Any) -> AsyncIterator[StatisticsResp]:  # noqa: N802 - as above
        await asyncio.Event().wait()
        yield StatisticsResp()


class _Ending(persistent_pb2_grpc.PersistentSubscriptionsServicer):
    """Each consumer of a group is ended before it has begun."""

    async def Read(self, _: Any, __: Any) -> AsyncIterator[PersistentResp]:  # noqa: N802 - as above
        for none in list[PersistentResp]():
            yield none


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[Client]:
    """A client of a server that follows this script."""
    server = grpc.aio.server()
    streams_pb2_grpc.add_StreamsServicer_to_server(script, server)  # type: ignore[no-untyped-call]  # generated
    projections_pb2_grpc.add_ProjectionsServicer_to_server(_Silent(), server)  # type: ignore[no-untyped-call]  # generated
    persistent_pb2_grpc.add_PersistentSubscriptionsServicer_to_server(_Ending(), server)  # type: ignore[no-untyped-call]  # generated
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    client = await eventstoredb.connect(f"esdb://127.0.0.1:{port}?tls=false")
    try:
        yield client
    finally:
        await client.close()
        await server.stop(grace=None)
