"""A read whose connection breaks is no read that ended: the client alone cannot tell them apart."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import grpc
import pytest
from esdbclient import NewEvent, StreamState
from esdbclient.exceptions import CancelledByClient

from application.event_filter import EventFilter
from application.ports import StoreUnavailable
from embedded_eventstoredb import NodeProcess
from infrastructure.eventstoredb import Client, ConsumerGroups, Subscriptions
from infrastructure.eventstoredb.client import unavailable
from infrastructure.eventstoredb.counting import Counting
from infrastructure.eventstoredb.reads import end_of_log
from tests.contracts.made_up import only
from tests.infrastructure.scripted_server import Script, scripted
from tests.sample.service import SAMPLE

WRITTEN: Final = 3


class Breaking(Client):
    """Every read loses its connection once ``left`` more messages have come."""

    left = 0
    counted: EventFilter

    async def read_all(self, **asked: Any) -> Any:
        response = await super().read_all(**asked)
        receive = response._get_next_read_resp

        async def break_off() -> Any:
            if self.left == 0:
                response.aio_call.cancel()
            self.left -= 1
            return await receive()

        response._get_next_read_resp = break_off  # type: ignore[method-assign]
        return response


@pytest.fixture
async def breaking(node: NodeProcess) -> AsyncIterator[Breaking]:
    """On a node with a stream of its own to count."""
    client, category = Breaking(node.uri), f"broken{uuid4().hex}"
    client.counted = EventFilter.of(category, "Counted")
    await client.connect()
    await client.append_to_stream(
        f"{category}-1",
        current_version=StreamState.NO_STREAM,
        events=[NewEvent(type="Counted", data=b"{}") for _ in range(WRITTEN)],
    )
    yield client
    await client.close()


async def test_no_end_is_told_from_a_broken_read(breaking: Breaking) -> None:
    """An empty log ends at 0, and so would a log that nobody could read."""
    with pytest.raises(CancelledByClient, match="the connection was closed"):
        await end_of_log(breaking)
    assert await end_of_log(breaking) > 0


async def test_a_broken_read_counts_nothing_for_good(breaking: Breaking) -> None:
    """Too small a number would be told as the exact one; the next count is whole."""
    breaking.left = 1
    counting = Counting(breaking, breaking.counted)
    with pytest.raises(StoreUnavailable, match="the connection was closed"):
        await counting.count(breaking.counted)
    assert await counting.count(breaking.counted) == WRITTEN


async def test_a_subscription_that_ends_before_it_begins_is_no_answer() -> None:
    """Of a group, and of the log: the connection may have been closed, so it is made again."""
    script = Script()
    script.confirms = script.lasts = False
    async with scripted(script) as client:
        groups = ConsumerGroups(client, SAMPLE.catalogue)
        subscriptions = Subscriptions(client, SAMPLE.catalogue)
        with pytest.raises(StoreUnavailable, match="the connection was closed"):
            async with groups.consume("a-group", only=only("Noted")):
                pass
        with pytest.raises(StoreUnavailable, match="the connection was closed"):
            async with subscriptions.catch_up(after=None, only=only("Noted")):
                pass


async def test_an_end_while_we_send_is_told_as_any_other() -> None:
    """gRPC's own words for it are of no use to a reader, and do not say that it is an end."""
    nothing = grpc.aio.Metadata()
    ended = grpc.aio.AioRpcError(
        grpc.StatusCode.INTERNAL, nothing, nothing, "Internal error from Core", ""
    )
    with pytest.raises(StoreUnavailable, match="the connection was closed"), unavailable():
        raise ended
