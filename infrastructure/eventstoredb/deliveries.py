"""The deliveries of one persistent subscription to a stream of links."""

from collections.abc import AsyncIterator, Callable

from esdbclient import AsyncPersistentSubscription
from esdbclient.protos.Grpc.persistent_pb2 import ReadResp

from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from infrastructure.eventstoredb.client import as_recorded
from infrastructure.eventstoredb.settlements import Settlements


class Delivery:
    """A :class:`~application.ports.Delivery`; it cannot be settled once its consumer has left.

    The server confirms no settlement. If one is lost with the connection, the event comes again.
    """

    def __init__(
        self, recorded: RecordedEvent, retries: int, id: str, settlements: Settlements
    ) -> None:
        self.recorded, self.retries = recorded, retries
        self._id, self._settlements = id, settlements

    async def ack(self) -> None:
        self._settlements.done(self._id)

    async def retry(self, reason: str) -> None:  # noqa: ARG002 - the server does not keep it
        self._settlements.again(self._id)


async def deliveries(
    subscription: AsyncPersistentSubscription,
    settlements: Settlements,
    only: EventFilter,
    decoder: Decoder,
    report: Callable[[], None],
) -> AsyncIterator[Delivery]:
    """The events that ``only`` admits, as long as the subscription lasts. The rest is acked here.

    That is: other types, events that other clients wrote among the links, links to metadata, and
    links whose event was deleted or truncated; ``report`` is called for each of these last ones.
    The messages are read without the client, which skips those and never settles them.
    """
    async for message in _messages(subscription):
        if message.WhichOneof("content") != "event":
            continue
        read, event = message.event, message.event.event
        id = read.link.id.string or event.id.string  # of the link, where it was found by one
        if not event.id.string:
            report()
        elif only.admits(event.stream_identifier.stream_name.decode(), event.metadata["type"]):
            yield Delivery(as_recorded(event, decoder), read.retry_count, id, settlements)
            continue
        settlements.done(id)


async def _messages(subscription: AsyncPersistentSubscription) -> AsyncIterator[ReadResp]:
    while True:
        try:
            message = await subscription._get_next_read_resp()
        except StopAsyncIteration:
            return
        yield message
