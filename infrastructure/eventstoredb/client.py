"""What all calls on a connection share: errors, events and filters of the ports."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import grpc
from esdbclient.common import handle_rpc_error
from esdbclient.exceptions import (
    AccessDeniedError,
    CancelledByClient,
    DeadlineExceeded,
    DiscoveryFailed,
    EventStoreDBClientException,
    ExceptionIteratingRequests,
    GrpcError,
    NodeIsNotLeader,
    SubscriptionConfirmationError,
    UnknownError,
)
from esdbclient.protos.Grpc import persistent_pb2, streams_pb2

from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from application.ports import StoreUnavailable
from infrastructure.eventstoredb.places import required
from infrastructure.eventstoredb.reconnecting import Reconnecting

Client = Reconnecting
"""What ``connect`` gives. Outside this package it has no other name."""

DEADLINE = 10.0  # seconds for one call; the server itself gives up a write after 2
_NO_ANSWER = (
    AccessDeniedError,
    CancelledByClient,
    DeadlineExceeded,
    DiscoveryFailed,
    ExceptionIteratingRequests,
    GrpcError,
    NodeIsNotLeader,
    SubscriptionConfirmationError,
    UnknownError,
)


@contextmanager
def unavailable(what: str = "EventStoreDB does not answer") -> Iterator[None]:
    """Turns errors of connection, the client's and gRPC's, into :class:`StoreUnavailable`."""
    try:
        with in_the_clients_words():
            yield
    except _NO_ANSWER as error:
        raise_if_cancelled()
        raise StoreUnavailable(f"{what}: {_reason(error)}") from error
    except EventStoreDBClientException as error:
        if type(error) is not EventStoreDBClientException:
            raise
        # "Server Is Not Ready", during an election of a cluster: the client has no class for it.
        raise StoreUnavailable(f"{what}: it is not ready ({_reason(error)})") from error
    except (asyncio.CancelledError, StopAsyncIteration):  # also of a subscription that begins
        raise_if_cancelled()
        raise StoreUnavailable(f"{what}: the connection was closed") from None


@asynccontextmanager
async def answering(what: str = "EventStoreDB does not answer") -> AsyncIterator[None]:
    """The same for one call, with a deadline of ``DEADLINE`` seconds in all.

    The client repeats a call that has failed, up to three times, with the same deadline each time,
    connects anew in between, and waits for confirmations without a deadline.
    """
    try:
        async with asyncio.timeout(DEADLINE):
            with unavailable(what):
                yield
    except TimeoutError as silence:
        raise StoreUnavailable(f"{what} within {DEADLINE:g} s") from silence


@contextmanager
def in_the_clients_words() -> Iterator[None]:
    """Turns gRPC's errors into the client's, for messages that are read without the client."""
    try:
        yield
    except grpc.RpcError as error:
        raise handle_rpc_error(error) from error


def raise_if_cancelled() -> None:
    """Raise a cancellation that the client may have swallowed.

    It takes the cancellation of our task for the end of a call, and the end of a call (which it
    cancels when it reconnects) for a cancellation.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


Message = (
    streams_pb2.ReadResp.ReadEvent.RecordedEvent | persistent_pb2.ReadResp.ReadEvent.RecordedEvent
)


def as_recorded(event: Message, decoder: Decoder) -> RecordedEvent:
    """An event as it came over the wire: making it of the client's own takes twice as long."""
    system = event.metadata  # the server's: what the writer added is the custom metadata
    return RecordedEvent(
        UUID(event.id.string),
        system["type"],
        event.data,
        event.custom_metadata,
        event.stream_identifier.stream_name.decode(),
        required(event.stream_revision, "the version of an event"),
        required(event.commit_position, "the position of an event"),
        datetime.fromtimestamp(int(system["created"]) / _TICKS, UTC),
        decoder,
    )


_TICKS: Final = 10_000_000.0  # a second; divided by a float as the client does, it rounds alike


def by_type(only: EventFilter) -> list[str]:
    """The client's filter for exactly these event types: it puts ``^`` and ``$`` around.

    The server filters by types or by streams, not by both. So events are filtered here again. No
    filter admits all events but those of the server itself.
    """
    if only.everything:
        return []
    return [f"({'|'.join(re.escape(type) for type in sorted(only.types))})"]


def _reason(error: Exception) -> str:
    if error.args and isinstance(error.args[0], grpc.Call | grpc.aio.AioRpcError):
        return str(error.args[0].details())
    said = str(error) or type(error).__name__
    return "the connection was closed" if said == _ENDED_WHILE_SENDING else said


_ENDED_WHILE_SENDING: Final = "Internal error from Core"  # gRPC's words for it
