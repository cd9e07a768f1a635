"""How acks and retries are gathered into the requests of a persistent subscription."""

import asyncio
from uuid import uuid4

import pytest
from esdbclient.protos.Grpc.persistent_pb2 import ReadReq

from application.ports import StoreUnavailable
from infrastructure.eventstoredb.settlements import Settlements
from tests.waiting import PATIENCE


async def begun(*, batch: int = 50, delay: float = 0.0) -> Settlements:
    """After the request with the options, which is the first."""
    settlements = Settlements("group", "$ce-order", 100, batch, delay)
    assert (await anext(settlements)).WhichOneof("content") == "options"
    return settlements


def ids(request: ReadReq) -> list[str]:
    return [one.string for one in (request.ack.ids or request.nack.ids)]


async def test_nothing_is_scheduled_while_nothing_is_settled() -> None:
    """An idle consumer costs no processor: it waits without a timer."""
    settlements = await begun(delay=0.02)
    following = asyncio.create_task(anext(settlements))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]  # nothing public shows it
    following.cancel()


async def test_settlements_that_wait_share_a_request_of_their_kind() -> None:
    """In the order in which they were made: acks before a retry are sent before it."""
    settlements, given = await begun(), [str(uuid4()) for _ in range(4)]
    settlements.done(given[0])
    settlements.done(given[1])
    settlements.again(given[2])
    settlements.done(given[3])

    requests = [await anext(settlements) for _ in range(3)]
    assert [one.WhichOneof("content") for one in requests] == ["ack", "nack", "ack"]
    assert [ids(one) for one in requests] == [given[:2], given[2:3], given[3:]]


async def test_a_full_batch_does_not_wait() -> None:
    """Although more could come within the delay."""
    settlements, given = await begun(batch=2, delay=100 * PATIENCE), [str(uuid4()) for _ in "abc"]
    for one in given:
        settlements.done(one)
    async with asyncio.timeout(PATIENCE):
        assert ids(await anext(settlements)) == given[:2]


async def test_the_last_settlements_are_sent_before_the_end() -> None:
    """Stopping sends what waits, then ends the requests; what comes later is refused."""
    settlements, given = await begun(delay=100 * PATIENCE), str(uuid4())
    settlements.done(given)
    async with asyncio.timeout(PATIENCE):
        await settlements.stop(wait_until_stopped=False)
        assert ids(await anext(settlements)) == [given]
        with pytest.raises(StopAsyncIteration):
            await anext(settlements)
    with pytest.raises(StoreUnavailable, match="has left"):
        settlements.done(given)
