"""The writing half of the Streams service: Append, BatchAppend, Delete, Tombstone."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import grpc
from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb import streams
from infrastructure.embedded.eventstoredb.access import Access, Action
from infrastructure.embedded.eventstoredb.append_replies import (
    appended,
    batch_appended,
    batch_late,
    batch_refused,
    conflicted,
)
from infrastructure.embedded.eventstoredb.errors import (
    MaximumAppendSizeExceeded,
    Refusal,
    WrongExpectedVersion,
    invalid_argument,
    refusals_end,
    unavailable,
)
from infrastructure.embedded.eventstoredb.storage import (
    Appended,
    NewRecord,
    Storage,
    StorageUnavailable,
    Transaction,
)
from infrastructure.embedded.eventstoredb.wire import (
    Proposed,
    expected_version,
    new_record,
    size_of,
    stream_name,
)

MAX_APPEND_SIZE: Final = 1024 * 1024

_Answer = TypeVar("_Answer")
_Context = grpc.aio.ServicerContext[Any, Any]
_AppendReqs = AsyncIterator[streams_pb2.AppendReq]
_BatchReqs = AsyncIterator[streams_pb2.BatchAppendReq]
_BatchReq = streams_pb2.BatchAppendReq
_DeleteReq = streams_pb2.DeleteReq | streams_pb2.TombstoneReq


@dataclass
class _Draft:
    """An append on its way in: records arrive in parts, and are bounded in all."""

    stream: str
    expected: int
    records: list[NewRecord] = field(default_factory=list)
    size: int = 0

    def add(self, messages: Iterable[Proposed]) -> None:
        for message in messages:
            record = new_record(message)
            self.size += size_of(record)
            if self.size > MAX_APPEND_SIZE:
                raise MaximumAppendSizeExceeded(MAX_APPEND_SIZE)
            self.records.append(record)


class Writes:
    """The calls that write. They answer when what they wrote is on disk."""

    def __init__(self, storage: Storage, access: Access) -> None:
        self._storage = storage
        self._access = access

    async def append(self, requests: _AppendReqs, context: _Context) -> streams_pb2.AppendResp:
        async with refusals_end(context):
            first = await anext(requests, streams_pb2.AppendReq())
            if first.WhichOneof("content") != "options":
                raise invalid_argument("An append begins with its options.")
            draft = _draft(first.options, "expected_stream_revision", first.options.revision)
            self._access.check(context, Action.WRITE, draft.stream)
            async for request in requests:
                draft.add([request.proposed_message])
            try:
                return appended(await self._append(draft))
            except WrongExpectedVersion as conflict:
                return conflicted(conflict)
        raise AssertionError("unreachable: the call has ended")

    async def batch_append(
        self, requests: _BatchReqs, context: _Context
    ) -> AsyncIterator[streams_pb2.BatchAppendResp]:
        """Appends of many streams over one call, each in one or several parts and atomic."""
        drafts: dict[str, _Draft] = {}
        async with refusals_end(context):
            async for request in requests:
                response = await self._part(request, drafts, context)
                if response is not None:
                    yield response

    async def _part(
        self, request: _BatchReq, drafts: dict[str, _Draft], context: _Context
    ) -> streams_pb2.BatchAppendResp | None:
        key = request.correlation_id.SerializeToString().decode("latin-1")
        name = request.options.stream_identifier.stream_name
        try:
            if request.HasField("options"):
                if late := batch_late(request, name):
                    return late
                options = request.options
                drafts[key] = _draft(options, "expected_stream_position", options.stream_position)
                self._access.check(context, Action.WRITE, drafts[key].stream)
            if key not in drafts:
                return None  # the rest of an append that was refused
            draft = drafts[key]
            name = draft.stream.encode()
            draft.add(request.proposed_messages)
            if not request.is_final:
                return None
            del drafts[key]
            return batch_appended(request, name, await self._append(draft))
        except Refusal as refusal:
            drafts.pop(key, None)
            if refusal.code == grpc.StatusCode.UNAVAILABLE:
                raise
            return batch_refused(request, name, refusal)

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

    async def _delete(
        self, request: _DeleteReq, rule: Callable[[Transaction, str, int], int], context: _Context
    ) -> int:
        options = request.options
        name = stream_name(options.stream_identifier)
        self._access.check(context, Action.DELETE, name)
        oneof = options.WhichOneof("expected_stream_revision")
        expected = expected_version(oneof, options.revision)
        return await self._write(lambda transaction: rule(transaction, name, expected))

    async def _append(self, draft: _Draft) -> Appended:
        return await self._write(
            lambda transaction: streams.append(
                transaction, draft.stream, draft.expected, draft.records
            )
        )

    async def _write(self, job: Callable[[Transaction], _Answer]) -> _Answer:
        try:
            return await self._storage.write(job)
        except StorageUnavailable as error:
            raise unavailable(str(error)) from error


def _draft(options: Any, oneof: str, version: int) -> _Draft:
    expected = expected_version(options.WhichOneof(oneof), version)
    return _Draft(stream_name(options.stream_identifier), expected)
