"""gRPC handlers for calls with one request and one answer."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from embedded_eventstoredb.errors import refusals_end, unavailable
from embedded_eventstoredb.storage import StorageUnavailable

_Request = TypeVar("_Request", bound=Message)
_Answer = TypeVar("_Answer", bound=Message)
_Context = grpc.aio.ServicerContext[Any, Any]


def unary(
    call: Callable[[_Request], Awaitable[_Answer]],
    request: type[_Request],
) -> "grpc.RpcMethodHandler[_Request, _Answer]":  # generic in its stubs only
    """A handler that awaits ``call(request)``. A Refusal that it raises ends the call."""

    async def answer(message: _Request, context: _Context) -> _Answer:
        async with refusals_end(context):
            try:
                return await call(message)
            except StorageUnavailable as error:
                raise unavailable(str(error)) from error
        raise AssertionError("unreachable: the call has ended")

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=request.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
