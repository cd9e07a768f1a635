"""The reading half of the Streams service: reads and catch-up subscriptions, of one stream or all.

The handler yields bytes: each message is serialised once, by the node instead of gRPC.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from typing import Any, Final
from uuid import uuid4

import grpc
from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from embedded_eventstoredb import read_options
from embedded_eventstoredb.access import Access, Action
from embedded_eventstoredb.checkpoints import WINDOW
from embedded_eventstoredb.errors import (
    StreamDeleted,
    invalid_argument,
    refusals_end,
)
from embedded_eventstoredb.filters import Filter, in_all, parse_filter
from embedded_eventstoredb.link_targets import resolve_all
from embedded_eventstoredb.read_options import (
    END,
    END_VERSION,
    Position,
    read_failed,
)
from embedded_eventstoredb.readers import LogReader, Readers, StreamReader
from embedded_eventstoredb.storage import MAX_VERSION, Log, LogClosed, Record, Stream
from embedded_eventstoredb.streams import (
    Resolved,
    is_deleted,
    is_found,
    passed_over,
)
from embedded_eventstoredb.subscriptions import (
    CaughtUp,
    Checkpoint,
    LogSubscription,
    Signal,
    StreamSubscription,
)
from embedded_eventstoredb.wire import event_message

_Context = grpc.aio.ServicerContext[Any, Any]
_Messages = AsyncGenerator[list[bytes], None]
_ReadResp = streams_pb2.ReadResp
_BACKWARDS: Final = streams_pb2.ReadReq.Options.Backwards
_BATCH_BYTES: Final = 1 << 15
_CAUGHT_UP: Final = _ReadResp(caught_up=_ReadResp.CaughtUp()).SerializeToString()


class Reads:
    """The Read call."""

    def __init__(self, storage: Log, access: Access) -> None:
        self._storage = storage
        self._access = access
        self._readers = Readers()

    async def read(self, request: streams_pb2.ReadReq, context: _Context) -> AsyncIterator[bytes]:
        options = request.options
        async with refusals_end(context):
            self._access.check(context, Action.READ, read_options.source(options))
            read_options.check(options)
            answer = _Answer(self._storage, self._readers, options)
            async with aclosing(answer.messages()) as some:
                async for messages in some:
                    for message in messages:
                        if not self._readers.may_go_on(answer):
                            await self._readers.turn(answer)
                        yield message


class _Answer:
    """The messages that answer one request; none if the request has no start."""

    def __init__(
        self, storage: Log, readers: Readers, options: streams_pb2.ReadReq.Options
    ) -> None:
        self._storage = storage
        self._readers = readers
        self._options = options
        self._structured = options.uuid_option.WhichOneof("content") != "string"
        self._backwards = options.read_direction == _BACKWARDS

    def messages(self) -> _Messages:
        """The messages, a few at a time."""
        options = self._options
        subscribes = options.WhichOneof("count_option") == "subscription"
        if options.WhichOneof("stream_option") == "stream":
            version = read_options.version(options.stream)
            if version is None:
                return _nothing()
            return self._following(version) if subscribes else self._of_stream(version)
        position = read_options.position(options.all)
        if position is None:
            return _nothing()
        return self._following_all(position) if subscribes else self._of_all(position)

    async def _of_stream(self, start: int) -> _Messages:
        """The events of a stream; for newer clients also its first and last position."""
        stream = self._storage.stream(read_options.source(self._options))
        if is_deleted(self._storage, stream):
            raise StreamDeleted(stream.name)
        if not is_found(stream):
            yield [_not_found(stream)]
            return
        start = min(max(0, start), MAX_VERSION)
        count, backwards = self._options.count, self._backwards
        compatible = self._options.control_option.compatibility >= 1
        if compatible and not backwards:
            for version in passed_over(self._storage, stream, start, count):
                yield [_ReadResp(first_stream_position=version).SerializeToString()]
        reader = StreamReader(self._storage, stream, start, count, backwards=backwards)
        async for records in self._readers.all(reader):
            for messages in _batches(self._events(records)):
                yield messages
        if compatible:
            yield [_ReadResp(last_stream_position=stream.last_version).SerializeToString()]

    async def _of_all(self, start: Position) -> _Messages:
        count = self._options.count
        wanted = self._wanted()
        reader = LogReader(self._storage, self._log_start(start), backwards=self._backwards)
        async for records in self._readers.all(reader):
            found = [record for record in records if wanted(record)][:count]
            for messages in _batches(self._events(found)):
                yield messages
            count -= len(found)
            if not count:
                return

    def _log_start(self, start: Position) -> int:
        """The position after which to read, or before which to read backwards."""
        last = self._storage.last_position
        if 0 <= start.commit <= last and self._storage.record_at(start.commit) is None:
            raise read_failed("All", "InvalidPosition")
        if not self._backwards:
            return min(start.commit - 1, MAX_VERSION)
        if last < start.commit and start != END:
            raise read_failed("All")
        return min(start.commit, MAX_VERSION)

    def _wanted(self) -> Filter:
        if self._options.WhichOneof("filter_option") != "filter":
            return in_all
        if self._options.filter.WhichOneof("window") is None:
            raise invalid_argument("A filter needs a window: give max or count.")
        return parse_filter(self._options.filter)

    def _events(self, records: Sequence[Record]) -> Iterator[bytes]:
        for resolved in self._resolved(records):
            yield event_message(resolved, structured_ids=self._structured)

    def _resolved(self, records: Sequence[Record]) -> Iterator[Resolved]:
        if self._options.resolve_links:
            return resolve_all(self._storage, records)
        return (Resolved(record, None) for record in records)

    def _following(self, start: int) -> _Messages:
        name = read_options.source(self._options)
        after = None if start == END_VERSION else start
        links = self._options.resolve_links
        return self._confirmed(
            StreamSubscription(self._storage, self._readers, name, after, resolve_links=links)
        )

    def _following_all(self, start: Position) -> _Messages:
        return self._confirmed(
            LogSubscription(
                self._storage,
                self._readers,
                start,
                self._wanted(),
                resolve_links=self._options.resolve_links,
                window=self._window(),
            )
        )

    async def _confirmed(self, subscription: StreamSubscription | LogSubscription) -> _Messages:
        """The confirmation, then the signals of the subscription, until the member shuts down."""
        confirmation = _ReadResp.SubscriptionConfirmation(subscription_id=str(uuid4()))
        yield [_ReadResp(confirmation=confirmation).SerializeToString()]
        with suppress(LogClosed):
            async with aclosing(subscription.signals()) as some:
                async for signals in some:
                    for messages in _batches(map(self._message, signals)):
                        yield messages

    def _window(self) -> tuple[int, int] | None:
        """The window, in records, and the multiplier of checkpoints."""
        if self._options.WhichOneof("filter_option") != "filter":
            return None
        options = self._options.filter
        size = options.max if options.WhichOneof("window") == "max" else WINDOW
        if size < 1 or options.checkpointIntervalMultiplier < 1:
            raise invalid_argument("A window and checkpointIntervalMultiplier must be 1 or more.")
        return size, options.checkpointIntervalMultiplier

    def _message(self, signal: Signal) -> bytes:
        match signal:
            case Checkpoint(position=at):
                checkpoint = _ReadResp.Checkpoint(
                    commit_position=at.commit, prepare_position=at.prepare
                )
                return _ReadResp(checkpoint=checkpoint).SerializeToString()
            case CaughtUp():
                return _CAUGHT_UP
            case _:
                return event_message(signal, structured_ids=self._structured)


async def _nothing() -> _Messages:
    return
    yield []


def _batches(messages: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Groups the messages into lists of about 32 KB."""
    batch: list[bytes] = []
    size = 0
    for message in messages:
        batch.append(message)
        size += len(message)
        if size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _not_found(stream: Stream) -> bytes:
    name = shared_pb2.StreamIdentifier(stream_name=stream.name.encode())
    return _ReadResp(
        stream_not_found=_ReadResp.StreamNotFound(stream_identifier=name)
    ).SerializeToString()
