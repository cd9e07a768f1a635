"""The maximum size of a message: larger ones are refused with the server's text."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import grpc

from embedded_eventstoredb.errors import Refusal, message_too_large
from embedded_eventstoredb.node_settings import MAX_MESSAGE

RECEIVED: Final = 64 << 20
"""Bytes: gRPC itself refuses a message that is even larger, with its own text."""

_Context = grpc.aio.ServicerContext[Any, Any]


_Handler = Any  # a named tuple; the stubs know its synchronous form only


def limited(methods: Mapping[str, _Handler]) -> dict[str, _Handler]:
    """The same calls, ending with a Refusal if a request is too large."""
    return {name: _limited(handler) for name, handler in methods.items()}


def _limited(handler: _Handler) -> _Handler:
    parse = handler.request_deserializer or bytes
    if handler.request_streaming:
        return handler._replace(request_deserializer=_raising(parse))
    returning = handler._replace(request_deserializer=_returning(parse))
    if handler.response_streaming:
        return returning._replace(unary_stream=_streaming(handler.unary_stream))
    return returning._replace(unary_unary=_answering(handler.unary_unary))


def _raising(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Raises while a handler iterates over requests, which handlers expect."""

    def parsed(message: bytes) -> Any:
        if len(message) > MAX_MESSAGE:
            raise message_too_large()
        return parse(message)

    return parsed


def _returning(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Returns a Refusal in place of a request, since no handler could catch an exception."""
    return lambda message: parse(message) if len(message) <= MAX_MESSAGE else message_too_large()


def _answering(call: Callable[[Any, _Context], Any]) -> Callable[[Any, _Context], Any]:
    async def answer(request: Any, context: _Context) -> Any:
        await _end_if_refused(request, context)
        return await call(request, context)

    return answer


def _streaming(
    call: Callable[[Any, _Context], AsyncIterator[Any]],
) -> Callable[[Any, _Context], AsyncIterator[Any]]:
    async def answer(request: Any, context: _Context) -> AsyncIterator[Any]:
        await _end_if_refused(request, context)
        async for response in call(request, context):
            yield response

    return answer


async def _end_if_refused(request: object, context: _Context) -> None:
    if isinstance(request, Refusal):
        await context.abort(request.code, request.text, request.trailers)
