"""The reading half of the Streams service: reads and catch-up subscriptions, of one stream or all.

The handler answers in bytes: a message is built once, and gRPC is not asked to serialise it again.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Final
from uuid import uuid4

import grpc
from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.access import ALL, Access, Action
from infrastructure.embedded.eventstoredb.errors import (
    StreamDeleted,
    invalid_argument,
    invalid_position,
    refusals_end,
)
from infrastructure.embedded.eventstoredb.filters import in_all, parse_filter
from infrastructure.embedded.eventstoredb.storage import MAX_VERSION, Record, Storage, Stream
from infrastructure.embedded.eventstoredb.streams import (
    Resolved,
    is_deleted,
    is_found,
    resolve,
    visible_pages,
)
from infrastructure.embedded.eventstoredb.subscriptions import (
    CaughtUp,
    Checkpoint,
    LogSubscription,
    Signal,
    StreamSubscription,
)
from infrastructure.embedded.eventstoredb.wire import event_message, stream_name

_Context = grpc.aio.ServicerContext[Any, Any]
_Options = streams_pb2.ReadReq.Options
_ReadResp = streams_pb2.ReadResp
_BACKWARDS: Final = streams_pb2.ReadReq.Options.Backwards
_CAUGHT_UP: Final = _ReadResp(caught_up=_ReadResp.CaughtUp()).SerializeToString()
_WINDOW: Final = 32  # what the server considers at a time when the client does not say


class Reads:
    """The call that reads."""

    def __init__(self, storage: Storage, access: Access) -> None:
        self._storage = storage
        self._access = access

    async def read(self, request: streams_pb2.ReadReq, context: _Context) -> AsyncIterator[bytes]:
        options = request.options
        async with refusals_end(context):
            self._access.check(context, Action.READ, _source(options))
            if not options.HasField("uuid_option"):
                raise invalid_argument("`uuidOption` is a required argument.")
            answer = _Answer(self._storage, options)
            if options.WhichOneof("count_option") == "subscription":
                async for page in answer.subscription():
                    for message in page:
                        yield message
            else:
                for message in answer.messages():
                    yield message


class _Answer:
    """The messages that answer one request."""

    def __init__(self, storage: Storage, options: streams_pb2.ReadReq.Options) -> None:
        self._storage = storage
        self._options = options
        self._structured = options.uuid_option.WhichOneof("content") != "string"
        self._backwards = options.read_direction == _BACKWARDS
        self._of_stream = options.WhichOneof("stream_option") == "stream"
        if self._of_stream and options.WhichOneof("filter_option") == "filter":
            raise invalid_argument("A filter goes with $all, not with a stream.")

    def messages(self) -> Iterator[bytes]:
        return self._stream_messages() if self._of_stream else self._log_messages()

    def _stream_messages(self) -> Iterator[bytes]:
        stream = self._storage.stream(stream_name(self._options.stream.stream_identifier))
        if is_deleted(self._storage, stream):
            raise StreamDeleted(stream.name)
        if not is_found(stream):
            yield _not_found(stream)
            return
        start = _version(self._options.stream)
        count, backwards = self._options.count, self._backwards
        found = False
        for page in visible_pages(self._storage, stream, start, count, backwards=backwards):
            found = True
            yield from self._events(page)
        yield from self._positions(stream, start, found)

    def _positions(self, stream: Stream, start: int, found: bool) -> Iterator[bytes]:
        """Where the stream begins and ends, for clients that say they understand it."""
        if self._options.control_option.compatibility < 1:
            return
        following = stream.last_version + 1
        if not found and not self._backwards and start != following:
            yield _ReadResp(first_stream_position=following).SerializeToString()
        yield _ReadResp(last_stream_position=stream.last_version).SerializeToString()

    def _log_messages(self) -> Iterator[bytes]:
        count = self._options.count
        wanted = self._wanted()
        after = self._log_start()
        while count > 0 and (page := self._storage.read_log(after, backwards=self._backwards)):
            after = page[-1].position
            matching = [record for record in page if wanted(record)][:count]
            count -= len(matching)
            yield from self._events(matching)

    def _log_start(self) -> int:
        """The position that reading begins after, or before when it goes backwards."""
        position = _position(self._options.all)
        if 0 <= position < MAX_VERSION and self._storage.record_at(position) is None:
            raise invalid_position()
        return position if self._backwards or position == MAX_VERSION else position - 1

    def _wanted(self) -> Any:
        if self._options.WhichOneof("filter_option") != "filter":
            return in_all
        if self._options.filter.WhichOneof("window") is None:
            raise invalid_argument("A filter needs a window: give max or count.")
        return parse_filter(self._options.filter)

    def _events(self, records: Iterable[Record]) -> Iterator[bytes]:
        for record in records:
            links = self._options.resolve_links
            resolved = resolve(self._storage, record) if links else Resolved(record, None)
            yield event_message(resolved, structured_ids=self._structured)

    async def subscription(self) -> AsyncIterator[list[bytes]]:
        """Confirmation first, then pages of messages without end."""
        if self._backwards:
            raise invalid_argument("A subscription reads forwards.")
        subscription = self._stream_subscription() if self._of_stream else self._log_subscription()
        confirmation = _ReadResp.SubscriptionConfirmation(subscription_id=str(uuid4()))
        yield [_ReadResp(confirmation=confirmation).SerializeToString()]
        async for page in subscription.pages():
            yield [self._message(signal) for signal in page]

    def _stream_subscription(self) -> StreamSubscription:
        options = self._options.stream
        starts = {"start": -1, "revision": min(options.revision, MAX_VERSION), "end": None}
        after = starts[options.WhichOneof("revision_option") or "start"]
        name = stream_name(options.stream_identifier)
        links = self._options.resolve_links
        return StreamSubscription(self._storage, name, after, resolve_links=links)

    def _log_subscription(self) -> LogSubscription:
        after = _position(self._options.all)
        return LogSubscription(
            self._storage,
            self._storage.last_position if after == MAX_VERSION else after,
            self._wanted(),
            resolve_links=self._options.resolve_links,
            interval=self._checkpoint_interval(),
        )

    def _checkpoint_interval(self) -> int | None:
        if self._options.WhichOneof("filter_option") != "filter":
            return None
        options = self._options.filter
        if options.checkpointIntervalMultiplier < 1:
            raise invalid_argument("checkpointIntervalMultiplier must be 1 or more.")
        window = options.max if options.WhichOneof("window") == "max" else _WINDOW
        return max(1, window * options.checkpointIntervalMultiplier)

    def _message(self, signal: Signal) -> bytes:
        match signal:
            case Checkpoint(position=at):
                checkpoint = _ReadResp.Checkpoint(commit_position=at, prepare_position=at)
                return _ReadResp(checkpoint=checkpoint).SerializeToString()
            case CaughtUp():
                return _CAUGHT_UP
            case _:
                return event_message(signal, structured_ids=self._structured)


def _source(options: streams_pb2.ReadReq.Options) -> str:
    if options.WhichOneof("stream_option") == "stream":
        return stream_name(options.stream.stream_identifier)
    return ALL


def _version(options: streams_pb2.ReadReq.Options.StreamOptions) -> int:
    match options.WhichOneof("revision_option"):
        case "revision":
            return min(options.revision, MAX_VERSION)
        case "end":
            return MAX_VERSION
        case _:
            return 0


def _position(options: streams_pb2.ReadReq.Options.AllOptions) -> int:
    """-1 is the start, MAX_VERSION the end."""
    match options.WhichOneof("all_option"):
        case "position":
            return min(options.position.commit_position, MAX_VERSION)
        case "end":
            return MAX_VERSION
        case _:
            return -1


def _not_found(stream: Stream) -> bytes:
    name = shared_pb2.StreamIdentifier(stream_name=stream.name.encode())
    return _ReadResp(
        stream_not_found=_ReadResp.StreamNotFound(stream_identifier=name)
    ).SerializeToString()
