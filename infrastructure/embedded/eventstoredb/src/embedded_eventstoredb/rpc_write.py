"""The writing half of the Streams service: Append, BatchAppend, Delete, Tombstone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import grpc
from esdbclient.protos.Grpc import streams_pb2

from embedded_eventstoredb import streams
from embedded_eventstoredb.access import Access, Action
from embedded_eventstoredb.append_replies import (
    appended,
    conflicted,
    until_commit_timeout,
)
from embedded_eventstoredb.batch_append import BatchAppend
from embedded_eventstoredb.drafts import Draft, Drafting
from embedded_eventstoredb.errors import (
    CommitTimeout,
    NotCommitted,
    Refusal,
    WrongExpectedVersion,
    invalid_argument,
    read_out,
    refusals_end,
    unavailable,
)
from embedded_eventstoredb.storage import Storage, StorageUnavailable, Transaction
from embedded_eventstoredb.wire import expected_version, given_name, stream_name

_Answer = TypeVar("_Answer")
_Context = grpc.aio.ServicerContext[Any, Any]
_AppendReqs = AsyncIterator[streams_pb2.AppendReq]
_BatchReqs = AsyncIterator[streams_pb2.BatchAppendReq]
_DeleteReq = streams_pb2.DeleteReq | streams_pb2.TombstoneReq


class Writes:
    """The calls that write. They are answered when the write is on disk."""

    def __init__(self, storage: Storage, access: Access, max_append_size: int) -> None:
        self._storage = storage
        self._access = access
        self._drafting = Drafting(access, max_append_size)

    async def append(self, requests: _AppendReqs, context: _Context) -> streams_pb2.AppendResp:
        async with refusals_end(context):
            with self._storage.arriving():
                draft = await self._draft(requests, context)
            try:
                return appended(await self._write(draft.append))
            except WrongExpectedVersion as conflict:
                return conflicted(conflict, draft.option)
            except NotCommitted as error:
                await asyncio.sleep(until_commit_timeout())
                raise CommitTimeout from error
        raise AssertionError("unreachable: the call has ended")

    async def batch_append(
        self, requests: _BatchReqs, context: _Context
    ) -> AsyncIterator[streams_pb2.BatchAppendResp]:
        call = BatchAppend(self._storage, self._drafting, context)
        async with refusals_end(context), aclosing(call.answers(requests)) as answers:
            async for answer in answers:
                yield answer

    async def delete(
        self, request: streams_pb2.DeleteReq, context: _Context
    ) -> streams_pb2.DeleteResp:
        async with refusals_end(context):
            position = await self._delete(request, streams.delete, context)
        at = streams_pb2.DeleteResp.Position(commit_position=position, prepare_position=position)
        return streams_pb2.DeleteResp(position=at)

    async def tombstone(
        self, request: streams_pb2.TombstoneReq, context: _Context
    ) -> streams_pb2.TombstoneResp:
        async with refusals_end(context):
            position = await self._delete(request, streams.tombstone, context)
        at = streams_pb2.TombstoneResp.Position(commit_position=position, prepare_position=position)
        return streams_pb2.TombstoneResp(position=at)

    async def _draft(self, requests: _AppendReqs, context: _Context) -> Draft:
        """The append in a plain Append call, after its last request. Raises a Refusal."""
        try:
            first = await anext(requests, streams_pb2.AppendReq())
            if first.WhichOneof("content") != "options":
                raise invalid_argument("An append begins with its options.")
            options = first.options
            oneof = "expected_stream_revision"
            draft = self._drafting.draft(options, oneof, options.revision, context)
            async for request in requests:
                if request.WhichOneof("content") != "proposed_message":
                    raise invalid_argument("After the options of an append come its messages.")
                draft.add([request.proposed_message])
        except Refusal:
            await read_out(requests)
            raise
        await _unless_given_up(context)
        return draft

    async def _delete(
        self, request: _DeleteReq, rule: Callable[[Transaction, str, int], int], context: _Context
    ) -> int:
        options = request.options
        self._access.check(context, Action.DELETE, given_name(options.stream_identifier))
        name = stream_name(options.stream_identifier)
        oneof = options.WhichOneof("expected_stream_revision")
        expected = expected_version(oneof, options.revision)
        return await self._write(lambda transaction: rule(transaction, name, expected))

    async def _write(self, job: Callable[[Transaction], _Answer]) -> _Answer:
        try:
            return await self._storage.write(job)
        except StorageUnavailable as error:
            raise unavailable(str(error)) from error


async def _unless_given_up(context: _Context) -> None:
    """Raises CancelledError if the requests ended because the call was cancelled.

    For a cancelled call, gRPC ends the requests as if they were complete, and cancels the handler
    later. Its events are in order: after one more read, the cancellation has arrived.
    """
    await context.read()
