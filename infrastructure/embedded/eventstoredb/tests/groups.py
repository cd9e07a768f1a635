"""What tests of consumer groups ask of a node, by esdbclient and by the wire."""

import grpc
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.persistent import SubscriptionInfo
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2
from google.protobuf.message import Message

from embedded_eventstoredb import NodeProcess
from waiting import PATIENCE

_SERVICE = "/event_store.client.persistent_subscriptions.PersistentSubscriptions"


def append(client: EventStoreDBClient, stream: str, *texts: str, metadata: bytes = b"") -> None:
    """An event for each text, in one append."""
    events = [
        NewEvent("Happened", text.encode(), metadata, content_type="application/octet-stream")
        for text in texts
    ]
    client.append_to_stream(stream, current_version=StreamState.ANY, events=events)


def texts(data: list[bytes]) -> str:
    return b"".join(data).decode()


def parked_stream(stream: str, group: str) -> str:
    return f"$persistentsubscription-{stream}::{group}-parked"


def info(client: EventStoreDBClient, group: str, stream: str | None = None) -> SubscriptionInfo:
    return client.get_subscription_info(group, stream)


def creation(stream: str, group: str, strategy: str) -> persistent_pb2.CreateReq:
    """Creates a group with any strategy: esdbclient offers the older ones only."""
    create = persistent_pb2.CreateReq
    source = create.StreamOptions(
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=stream.encode()),
        start=shared_pb2.Empty(),
    )
    settings = create.Settings(
        consumer_strategy=strategy,
        message_timeout_ms=30_000,
        max_retry_count=10,
        history_buffer_size=500,
        read_batch_size=20,
        max_checkpoint_count=1000,
    )
    return create(
        options=create.Options(stream=source, group_name=group, settings=settings),
    )


def creation_on_all(group: str, commit: int, prepare: int) -> persistent_pb2.CreateReq:
    """Creates a group on ``$all`` from these two numbers: esdbclient takes only one."""
    create = persistent_pb2.CreateReq
    position = create.Position(commit_position=commit, prepare_position=prepare)
    source = create.AllOptions(position=position, no_filter=shared_pb2.Empty())
    settings = create.Settings(history_buffer_size=500, read_batch_size=20)
    return create(options=create.Options(all=source, group_name=group, settings=settings))


def call(node: NodeProcess, method: str, request: Message, answer: type[Message]) -> Message:
    """A call by the wire alone, for what esdbclient hides or does not offer."""
    address = node.uri.removeprefix("esdb://").partition("?")[0]
    with grpc.insecure_channel(address) as channel:
        stub = channel.unary_unary(
            f"{_SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        response: Message = stub(request, timeout=PATIENCE)
        return response


def group_info(
    node: NodeProcess, group: str, stream: str | None = None
) -> persistent_pb2.SubscriptionInfo:
    """The info of a group with its connections, as sent; ``stream`` None is ``$all``."""
    options = persistent_pb2.GetInfoReq.Options(group_name=group)
    if stream is None:
        options.all.SetInParent()
    else:
        options.stream_identifier.stream_name = stream.encode()
    asked = persistent_pb2.GetInfoReq(options=options)
    told = call(node, "GetInfo", asked, persistent_pb2.GetInfoResp)
    assert isinstance(told, persistent_pb2.GetInfoResp)
    return told.subscription_info
