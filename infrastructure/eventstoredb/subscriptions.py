"""Catch-up subscriptions to ``$all``, filtered by the server."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial

from esdbclient.protos.Grpc import streams_pb2
from esdbclient.streams import AsyncCatchupSubscription

from application.catalogue import Catalogue
from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from application.ports import Progress
from infrastructure.eventstoredb.client import (
    DEADLINE,
    Client,
    answering,
    as_recorded,
    by_type,
)
from infrastructure.eventstoredb.counting import Counting
from infrastructure.eventstoredb.places import place, required
from infrastructure.eventstoredb.read_ahead import read_ahead
from infrastructure.eventstoredb.reads import read

_WINDOW = 200  # events that the server looks at between two checkpoints
_AHEAD = 1000  # messages that may wait for us


class Subscriptions:
    """The :class:`~application.ports.Subscriptions` and ``StoreFacts`` of one server."""

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self._client, self._catalogue = client, catalogue
        self._counting = Counting(client, catalogue.own)
        self._store_id: str | None = None  # until it is known

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        start = -1 if after is None else after
        async with answering():
            subscription = await self._client.subscribe_to_all(
                commit_position=None if start < 0 else start,
                filter_include=by_type(only),
                window_size=_WINDOW,
                checkpoint_interval_multiplier=1,
                include_checkpoints=True,
                include_caught_up=True,
            )
        assert isinstance(subscription, AsyncCatchupSubscription)
        async with (
            subscription,
            read_ahead([subscription.read_resp_iter], _AHEAD) as messages,
            aclosing(_follow(messages, start, only, self._catalogue)) as events,
        ):
            yield events

    async def count(self, only: EventFilter) -> int | None:
        """Reads everything first, in portions, with ``None`` until then; later only new events."""
        return await self._counting.count(only)

    async def head(self) -> int:
        begin = partial(
            self._client.read_all, backwards=True, filter_exclude=(), limit=1, timeout=DEADLINE
        )
        async with aclosing(read(self._client, begin)) as events:
            async for found in events:
                return required(found.event.commit_position, "the position of an event")
        return -1

    async def store_id(self) -> str | None:
        """The id of the first event of ours: it is never deleted, so it stays the first."""
        if self._store_id is None:
            own = self._catalogue.own
            begin = partial(self._client.read_all, filter_include=by_type(own), timeout=DEADLINE)
            async with aclosing(read(self._client, begin)) as events:
                async for found in events:
                    event = found.event
                    stream = event.stream_identifier.stream_name.decode()
                    if own.admits(stream, event.metadata["type"]):
                        self._store_id = event.id.string
                        break
        return self._store_id


async def _follow(
    messages: AsyncIterator[streams_pb2.ReadResp],
    position: int,
    only: EventFilter,
    decoder: Decoder,
) -> AsyncGenerator[RecordedEvent | Progress, None]:
    """The server's messages as events and ``Progress``; remembers the last position.

    Reads the messages without the client: making its events first took a third of the time of
    catching up.
    """
    async for message in messages:
        match message.WhichOneof("content"):
            case "event":
                recorded = as_recorded(message.event.event, decoder)
                position = recorded.position
                if recorded in only:
                    yield recorded
            case "checkpoint":
                reached = place(message.checkpoint.commit_position)
                if reached is not None and reached >= position:  # else it has looked at nothing yet
                    position = reached
                    yield Progress(position, caught_up=False)
            case "caught_up":
                yield Progress(position, caught_up=True)
