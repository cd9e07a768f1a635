"""Converts between the protocol's messages of persistent subscriptions and the node's own types."""

from typing import Any, Final

from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from embedded_eventstoredb import read_options
from embedded_eventstoredb.errors import group_failed, invalid_argument
from embedded_eventstoredb.group_connection import Connection
from embedded_eventstoredb.group_settings import (
    ALL,
    FROM_END,
    GroupFilter,
    GroupSettings,
)
from embedded_eventstoredb.group_source import Event
from embedded_eventstoredb.running_group import RunningGroup
from embedded_eventstoredb.storage import MAX_VERSION
from embedded_eventstoredb.wire import put_record

_pb = persistent_pb2
_Options = persistent_pb2.CreateReq.Options | persistent_pb2.UpdateReq.Options
_TICKS_PER_MILLISECOND: Final = 10_000


def created_settings(options: persistent_pb2.CreateReq.Options) -> GroupSettings:
    """The settings in a Create request. Raises a Refusal."""
    settings = options.settings
    named = _pb.CreateReq.ConsumerStrategy.Name(settings.named_consumer_strategy)
    wanted = _filter(options.all) if options.WhichOneof("stream_option") == "all" else None
    return _settings(options, settings.consumer_strategy or named, wanted)


def updated_settings(options: persistent_pb2.UpdateReq.Options) -> GroupSettings:
    """The settings in an Update request, which has no filter. Raises a Refusal."""
    strategy = _pb.UpdateReq.ConsumerStrategy.Name(options.settings.named_consumer_strategy)
    return _settings(options, strategy, None)


def _settings(options: _Options, strategy: str, wanted: GroupFilter | None) -> GroupSettings:
    stream, start = _source_and_start(options)
    given = options.settings
    return GroupSettings(
        stream=stream,
        group=options.group_name,
        start=start,
        filter=wanted,
        resolve_links=given.resolve_links,
        extra_statistics=given.extra_statistics,
        message_timeout=_milliseconds(given, "message_timeout"),
        max_retry_count=given.max_retry_count,
        checkpoint_after=_milliseconds(given, "checkpoint_after"),
        min_checkpoint_count=given.min_checkpoint_count,
        max_checkpoint_count=given.max_checkpoint_count,
        max_subscriber_count=given.max_subscriber_count,
        live_buffer_size=given.live_buffer_size,
        history_buffer_size=given.history_buffer_size,
        read_batch_size=given.read_batch_size,
        consumer_strategy=strategy,
    )


def _source_and_start(options: _Options) -> tuple[str, int]:
    match options.WhichOneof("stream_option"):
        case "all":
            given = options.all.position
            commit = read_options.checked(given.commit_position, given.prepare_position).commit
            return ALL, _start(options.all.WhichOneof("all_option"), commit)
        case "stream":
            identifier, stream = options.stream.stream_identifier, options.stream
            start = _start(stream.WhichOneof("revision_option"), stream.revision)
        case None:  # the fields of older clients
            identifier = options.stream_identifier
            start = _start("revision", options.settings.revision)
    name = _name(identifier)
    if name == ALL:
        reason = (
            "Persistent subscriptions to $all are only supported over gRPC through gRPC clients"
        )
        raise group_failed(name, options.group_name, reason)
    return name, start


def _start(option: str | None, value: int) -> int:
    match option:
        case "start":
            return 0
        case "end":
            return FROM_END
        case "revision" | "position":
            return FROM_END if read_options.number(value) > MAX_VERSION else value
        case _:
            raise invalid_argument("Where to start is missing: give start, end or a position.")


def _filter(options: persistent_pb2.CreateReq.AllOptions) -> GroupFilter | None:
    if options.WhichOneof("filter_option") != "filter":
        return None
    by_stream = options.filter.WhichOneof("filter") == "stream_identifier"
    expression = options.filter.stream_identifier if by_stream else options.filter.event_type
    return GroupFilter(by_stream, expression.regex, tuple(expression.prefix))


def _milliseconds(settings: Any, name: str) -> int:
    """A time, given in milliseconds or in ticks; 0 if it is not given."""
    if settings.WhichOneof(name) == f"{name}_ticks":
        return int(getattr(settings, f"{name}_ticks")) // _TICKS_PER_MILLISECOND
    return int(getattr(settings, f"{name}_ms"))


def source_name(options: Any) -> str:
    """The stream, or ``$all``, that a request is about. Raises a Refusal."""
    match options.WhichOneof("stream_option"):
        case "all":
            return ALL
        case "stream_identifier":
            return _name(options.stream_identifier)
        case _:
            raise invalid_argument("The source is missing: give a stream_identifier or all.")


def listed_source(options: persistent_pb2.ListReq.Options) -> str | None:
    """The source whose groups to list; None for all. Raises a Refusal."""
    match options.WhichOneof("list_option"):
        case "list_all_subscriptions":
            return None
        case "list_for_stream":
            one = options.list_for_stream
            return ALL if one.WhichOneof("stream_option") == "all" else _name(one.stream)
        case _:
            raise invalid_argument("What to list is missing: give all subscriptions or a stream.")


def _name(identifier: shared_pb2.StreamIdentifier) -> str:
    try:
        return identifier.stream_name.decode()
    except UnicodeDecodeError as error:
        raise invalid_argument("A stream's name is UTF-8 text.") from error


def event_message(message: Event, *, structured_ids: bool) -> bytes:
    """A ReadResp with an event, as it goes over the wire.

    Event and link have the position of the record that was read.
    """
    response = _pb.ReadResp()
    event, resolved = response.event, message.event
    event.commit_position = at = resolved.original.position
    event.retry_count = message.retry_count
    if resolved.event is not None:
        put_record(event.event, resolved.event, at, structured_ids=structured_ids)
    if resolved.link is not None:
        put_record(event.link, resolved.link, at, structured_ids=structured_ids)
    return response.SerializeToString()


def group_info(group: RunningGroup) -> persistent_pb2.SubscriptionInfo:
    """A group's settings and statistics."""
    settings, state, measured = group.settings, group.state, group.measure()
    return _pb.SubscriptionInfo(
        event_source=settings.stream,
        group_name=settings.group,
        status=group.status,
        connections=[_connection(one) for one in group.connections.values()],
        average_per_second=measured.per_second,
        total_items=state.total_items,
        count_since_last_measurement=measured.items,
        last_checkpointed_event_position=_printed(settings, state.progress.checkpoint),
        last_known_event_position=_printed(settings, group.last_known),
        resolve_link_tos=settings.resolve_links,
        start_from=settings.position(settings.start),
        message_timeout_milliseconds=settings.message_timeout,
        extra_statistics=settings.extra_statistics,
        max_retry_count=settings.max_retry_count,
        live_buffer_size=settings.live_buffer_size,
        buffer_size=settings.history_buffer_size,
        read_batch_size=settings.read_batch_size,
        check_point_after_milliseconds=settings.checkpoint_after,
        min_check_point_count=settings.min_checkpoint_count,
        max_check_point_count=settings.max_checkpoint_count,
        read_buffer_count=state.buffered,
        retry_buffer_count=state.retrying,
        total_in_flight_messages=state.in_flight,
        outstanding_messages_count=state.in_flight,
        named_consumer_strategy=settings.consumer_strategy,
        max_subscriber_count=settings.max_subscriber_count,
        parked_message_count=state.parked.count,
    )


def _connection(connection: Connection) -> persistent_pb2.SubscriptionInfo.ConnectionInfo:
    consumer, measured = connection.consumer, connection.measure()
    info = _pb.SubscriptionInfo
    times = connection.times.summary() if connection.times else {}
    return info.ConnectionInfo(
        **{"from": connection.client.address},
        username=connection.client.user,
        average_items_per_second=measured.per_second,
        total_items=consumer.total_items,
        count_since_last_measurement=measured.items,
        available_slots=consumer.slots - consumer.in_flight,
        in_flight_messages=consumer.in_flight,
        connection_name=connection.client.name,
        observed_measurements=[info.Measurement(key=k, value=v) for k, v in times.items()],
    )


def _printed(settings: GroupSettings, position: int | None) -> str:
    return "" if position is None else settings.position(position)
