"""The reading half of the Streams service: reads and catch-up subscriptions, of one stream or all.

The handler answers in bytes: a message is built once, and gRPC is not asked to serialise it again.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import grpc
from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from infrastructure.embedded.eventstoredb import read_options
from infrastructure.embedded.eventstoredb.access import Access, Action
from infrastructure.embedded.eventstoredb.errors import (
    StreamDeleted,
    invalid_argument,
    refusals_end,
)
from infrastructure.embedded.eventstoredb.filters import in_all, parse_filter
from infrastructure.embedded.eventstoredb.read_options import (
    END,
    END_VERSION,
    Position,
    read_failed,
)
from infrastructure.embedded.eventstoredb.storage import MAX_VERSION, Log, LogClosed, Record, Stream
from infrastructure.embedded.eventstoredb.streams import (
    Resolved,
    is_deleted,
    is_found,
    passed_over,
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
from infrastructure.embedded.eventstoredb.wire import event_message

_Context = grpc.aio.ServicerContext[Any, Any]
_ReadResp = streams_pb2.ReadResp
_BACKWARDS: Final = streams_pb2.ReadReq.Options.Backwards
_CAUGHT_UP: Final = _ReadResp(caught_up=_ReadResp.CaughtUp()).SerializeToString()
_WINDOW: Final = 32  # what the server considers at a time when the client does not say


class Reads:
    """The call that reads."""

    def __init__(self, storage: Log, access: Access) -> None:
        self._storage = storage
        self._access = access

    async def read(self, request: streams_pb2.ReadReq, context: _Context) -> AsyncIterator[bytes]:
        options = request.options
        async with refusals_end(context):
            self._access.check(context, Action.READ, read_options.source(options))
            read_options.check(options)
            answer = _Answer(self._storage, options)
            if options.WhichOneof("count_option") == "subscription":
                async for page in answer.subscription():
                    for message in page:
                        yield message
            else:
                for message in answer.messages():
                    yield message


class _Answer:
    """The messages that answer one request; none when it does not say where to start."""

    def __init__(self, storage: Log, options: streams_pb2.ReadReq.Options) -> None:
        self._storage = storage
        self._options = options
        self._structured = options.uuid_option.WhichOneof("content") != "string"
        self._backwards = options.read_direction == _BACKWARDS
        self._of_stream = options.WhichOneof("stream_option") == "stream"

    def messages(self) -> Iterator[bytes]:
        return self._stream_messages() if self._of_stream else self._log_messages()

    def _stream_messages(self) -> Iterator[bytes]:
        stream = self._storage.stream(read_options.source(self._options))
        start = read_options.version(self._options.stream)
        if start is None:
            return
        if is_deleted(self._storage, stream):
            raise StreamDeleted(stream.name)
        if not is_found(stream):
            yield _not_found(stream)
            return
        yield from self._found_messages(stream, min(max(0, start), MAX_VERSION))

    def _found_messages(self, stream: Stream, start: int) -> Iterator[bytes]:
        """Events, and around them, for clients that understand it, where the stream begins and
        ends.
        """
        count, backwards = self._options.count, self._backwards
        compatible = self._options.control_option.compatibility >= 1
        if compatible and not backwards:
            for version in passed_over(self._storage, stream, start, count):
                yield _ReadResp(first_stream_position=version).SerializeToString()
        for page in visible_pages(self._storage, stream, start, count, backwards=backwards):
            yield from self._events(page)
        if compatible:
            yield _ReadResp(last_stream_position=stream.last_version).SerializeToString()

    def _log_messages(self) -> Iterator[bytes]:
        start = read_options.position(self._options.all)
        if start is None:
            return
        count = self._options.count
        wanted = self._wanted()
        after = self._log_start(start)
        while count > 0 and (page := self._storage.read_log(after, backwards=self._backwards)):
            after = page[-1].position
            matching = [record for record in page if wanted(record)][:count]
            count -= len(matching)
            yield from self._events(matching)

    def _log_start(self, start: Position) -> int:
        """The position that reading begins after, or before when it goes backwards."""
        last = self._storage.last_position
        if 0 <= start.commit <= last and self._storage.record_at(start.commit) is None:
            raise read_failed("All", "InvalidPosition")
        if not self._backwards:
            return min(start.commit - 1, MAX_VERSION)
        if last < start.commit and start != END:
            raise read_failed("All")
        return min(start.commit, MAX_VERSION)

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
        """Confirmation first, then pages of messages, until the member shuts down."""
        subscription = self._stream_subscription() if self._of_stream else self._log_subscription()
        if subscription is None:
            return
        confirmation = _ReadResp.SubscriptionConfirmation(subscription_id=str(uuid4()))
        yield [_ReadResp(confirmation=confirmation).SerializeToString()]
        with suppress(LogClosed):
            async for page in subscription.pages():
                yield [self._message(signal) for signal in page]

    def _stream_subscription(self) -> StreamSubscription | None:
        after = read_options.version(self._options.stream)
        if after is None:
            return None
        name = read_options.source(self._options)
        links = self._options.resolve_links
        known = None if after == END_VERSION else after
        return StreamSubscription(self._storage, name, known, resolve_links=links)

    def _log_subscription(self) -> LogSubscription | None:
        start = read_options.position(self._options.all)
        if start is None:
            return None
        return LogSubscription(
            self._storage,
            start,
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


def _not_found(stream: Stream) -> bytes:
    name = shared_pb2.StreamIdentifier(stream_name=stream.name.encode())
    return _ReadResp(
        stream_not_found=_ReadResp.StreamNotFound(stream_identifier=name)
    ).SerializeToString()
