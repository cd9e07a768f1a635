"""The PersistentSubscriptions service."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import unquote

import grpc
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from embedded_eventstoredb.access import Access, Action
from embedded_eventstoredb.consumer_group import Nack
from embedded_eventstoredb.errors import (
    Refusal,
    group_failed,
    invalid_argument,
    refusals_end,
)
from embedded_eventstoredb.group_connection import Client, Connection
from embedded_eventstoredb.persistent_subscriptions import PersistentSubscriptions
from embedded_eventstoredb.persistent_wire import (
    created_settings,
    event_message,
    group_info,
    listed_source,
    source_name,
    updated_settings,
)
from embedded_eventstoredb.running_group import RunningGroup
from embedded_eventstoredb.unary_calls import unary
from embedded_eventstoredb.wire import id_bytes

SERVICE: Final = "event_store.client.persistent_subscriptions.PersistentSubscriptions"

_pb = persistent_pb2
_Context = grpc.aio.ServicerContext[Any, Any]
_ReadReqs = AsyncIterator[persistent_pb2.ReadReq]


def methods(
    groups: PersistentSubscriptions, access: Access
) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """Create, Update, Delete, Read, GetInfo, List, ReplayParked and RestartSubsystem."""
    calls = _Calls(groups, access)
    read = grpc.stream_stream_rpc_method_handler(
        calls.read, request_deserializer=_pb.ReadReq.FromString
    )
    return {
        "Create": unary(calls.create, _pb.CreateReq),
        "Update": unary(calls.update, _pb.UpdateReq),
        "Delete": unary(calls.delete, _pb.DeleteReq),
        "Read": read,
        "GetInfo": unary(calls.get_info, _pb.GetInfoReq),
        "List": unary(calls.list_groups, _pb.ListReq),
        "ReplayParked": unary(calls.replay_parked, _pb.ReplayParkedReq),
        "RestartSubsystem": unary(calls.restart, shared_pb2.Empty),
    }


class _Calls:
    def __init__(self, groups: PersistentSubscriptions, access: Access) -> None:
        self._groups = groups
        self._access = access

    async def create(self, request: _pb.CreateReq) -> _pb.CreateResp:
        await self._groups.create(created_settings(request.options))
        return _pb.CreateResp()

    async def update(self, request: _pb.UpdateReq) -> _pb.UpdateResp:
        await self._groups.update(updated_settings(request.options))
        return _pb.UpdateResp()

    async def delete(self, request: _pb.DeleteReq) -> _pb.DeleteResp:
        await self._groups.delete(source_name(request.options), request.options.group_name)
        return _pb.DeleteResp()

    async def get_info(self, request: _pb.GetInfoReq) -> _pb.GetInfoResp:
        group = self._groups.find(source_name(request.options), request.options.group_name)
        return _pb.GetInfoResp(subscription_info=group_info(group))

    async def list_groups(self, request: _pb.ListReq) -> _pb.ListResp:
        groups = self._groups.on(listed_source(request.options))
        return _pb.ListResp(subscriptions=map(group_info, groups))

    async def replay_parked(self, request: _pb.ReplayParkedReq) -> _pb.ReplayParkedResp:
        options = request.options
        source, name = source_name(options), options.group_name
        limited = options.WhichOneof("stop_at_option") == "stop_at"
        if limited and options.stop_at < 0:
            reason = "Cannot stop replaying parked message at a negative version."
            raise group_failed(source, name, reason)
        if self._groups.starting:
            await asyncio.Event().wait()  # as on the server: no answer until the caller gives up
        self._groups.find(source, name).replay_parked(options.stop_at if limited else None)
        return _pb.ReplayParkedResp()

    async def restart(self, _: shared_pb2.Empty) -> shared_pb2.Empty:
        await self._groups.restart()
        return shared_pb2.Empty()

    async def read(self, requests: _ReadReqs, context: _Context) -> AsyncIterator[bytes]:
        """Events for one consumer while it is connected; it acknowledges them on the same call."""
        async with refusals_end(context):
            first = await anext(requests, _pb.ReadReq())
            options = first.options
            if first.WhichOneof("content") != "options" or options.buffer_size < 1:
                raise invalid_argument(
                    "A consumer begins with its options and a buffer of 1 or more."
                )
            self._access.check(context, Action.READ, source_name(options))
            group = self._groups.find(source_name(options), options.group_name)
            connection = group.connect(options.buffer_size, self._client(context))
            answers = asyncio.create_task(_take_answers(requests, group, connection))
            try:
                async for response in _responses(group, connection, options):
                    yield response
            finally:
                answers.cancel()
                group.disconnect(connection)

    def _client(self, context: _Context) -> Client:
        headers = context.invocation_metadata() or ()
        names = (str(value) for key, value in headers if key == "connection-name")
        address = unquote(context.peer()).partition(":")[2]  # without "ipv4:" or "ipv6:"
        return Client(address, next(names, "<unknown>"), self._access.user_name(context))


async def _responses(
    group: RunningGroup, connection: Connection, options: _pb.ReadReq.Options
) -> AsyncIterator[bytes]:
    structured = options.uuid_option.WhichOneof("content") != "string"
    confirmation = _pb.ReadResp.SubscriptionConfirmation(subscription_id=group.settings.key)
    yield _pb.ReadResp(subscription_confirmation=confirmation).SerializeToString()
    while True:
        yield event_message(await connection.receive(), structured_ids=structured)


async def _take_answers(requests: _ReadReqs, group: RunningGroup, connection: Connection) -> None:
    """Handle acks and nacks as they arrive; an invalid one ends the subscription."""
    try:
        async for request in requests:
            _take_answer(request, group, connection)
    except Refusal as refusal:
        connection.drop(refusal)


def _take_answer(request: _pb.ReadReq, group: RunningGroup, connection: Connection) -> None:
    """Handle one ack or nack. Its subscription id is ignored, since some clients send none."""
    match request.WhichOneof("content"):
        case "ack":
            ids = [id_bytes(event_id) for event_id in request.ack.ids]
            connection.answered(ids)
            group.ack(ids)
        case "nack":
            ids = [id_bytes(event_id) for event_id in request.nack.ids]
            connection.answered(ids)
            group.nack(ids, _action(request.nack.action), request.nack.reason)


def _action(number: int) -> Nack:
    try:
        return Nack(number)
    except ValueError as error:
        raise invalid_argument(f"'{number}' is not what a nack can ask for.") from error
