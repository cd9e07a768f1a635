"""Catch-up subscriptions to ``$all``, filtered by the server."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import grpc
from esdbclient.common import handle_rpc_error
from esdbclient.exceptions import NotFound
from esdbclient.protos.Grpc import streams_pb2
from esdbclient.streams import AsyncCatchupSubscription

from application.categories import CATEGORIES
from application.messages import RecordedEvent
from application.ports import Progress, StoreUnavailable
from application.serialization import type_name
from infrastructure.eventstoredb.client import (
    DEADLINE,
    Client,
    only,
    raise_if_cancelled,
    unavailable,
)

_WINDOW = 200  # events that the server looks at between two checkpoints


class Subscriptions:
    """The :class:`~application.ports.Subscriptions` and ``StoreFacts`` of one server."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._store_id: str | None = None  # until it is known

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, types: Collection[str]
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        with unavailable():
            subscription = await self._client.subscribe_to_all(
                commit_position=after,
                filter_include=only(types),
                window_size=_WINDOW,
                checkpoint_interval_multiplier=1,
                include_checkpoints=True,
                include_caught_up=True,
            )
        start = -1 if after is None else after
        assert isinstance(subscription, AsyncCatchupSubscription)
        async with subscription, aclosing(_follow(subscription, start)) as events:
            yield events

    async def count(self, types: Collection[str]) -> int | None:
        """By the links of ``$by_event_type``; ``None`` while that projection does not run."""
        with unavailable():
            statistics = await self._client.get_projection_statistics(
                name="$by_event_type", timeout=DEADLINE
            )
            if statistics.status != "Running":
                return None
            return sum([await self._linked(type) for type in types])

    async def store_id(self) -> str | None:
        """The id of the first event of ours: it is never deleted, so it stays the first."""
        if self._store_id is None:
            types = [type for category in CATEGORIES for type in map(type_name, category.events)]
            with unavailable():
                async with await self._client.read_all(
                    filter_include=only(types), limit=1, timeout=DEADLINE
                ) as events:
                    async for event in events:
                        self._store_id = str(event.id)
        return self._store_id

    async def _linked(self, type: str) -> int:
        try:
            (last,) = await self._client.get_stream(
                f"$et-{type}", backwards=True, limit=1, timeout=DEADLINE
            )
            return last.stream_position + 1
        except NotFound:
            return 0


async def _follow(
    subscription: AsyncCatchupSubscription, position: int
) -> AsyncGenerator[RecordedEvent | Progress, None]:
    """What the server sends, in our words; where it has caught up it does not say, so remember.

    The client's own objects, of which ours would be made, are a third of the work of catching up:
    this reads the messages that they are made of.
    """
    with unavailable():
        try:
            async for response in subscription.read_resp_iter:
                match response.WhichOneof("content"):
                    case "event":
                        position = response.event.event.commit_position
                        yield _recorded(response.event.event)
                    case "checkpoint":
                        position = response.checkpoint.commit_position
                        yield Progress(position, caught_up=False)
                    case "caught_up":
                        yield Progress(position, caught_up=True)
        except grpc.RpcError as error:
            raise handle_rpc_error(error) from error
    raise_if_cancelled()
    raise StoreUnavailable("EventStoreDB has ended the subscription")


def _recorded(event: streams_pb2.ReadResp.ReadEvent.RecordedEvent) -> RecordedEvent:
    system = event.metadata  # the server's: what the writer added is the custom metadata
    return RecordedEvent(
        UUID(event.id.string),
        system["type"],
        event.data,
        event.custom_metadata,
        event.stream_identifier.stream_name.decode(),
        event.stream_revision,
        event.commit_position,
        datetime.fromtimestamp(int(system["created"]) / _TICKS, UTC),
    )


_TICKS: Final = 10_000_000.0  # a second; divided by a float as the client does, it rounds alike
