"""The whole service on three members that lose their leader while it takes transfers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from embedded_eventstoredb import NodeProcess
from infrastructure.container import wired
from infrastructure.processes.service import reacting
from tests.sample.client import TRANSFER, Bank, bank_over, id_of
from tests.sample.program import BANK
from tests.stores import settings_of
from tests.waiting import PATIENCE, until_true

TRANSFERS = 10  # while each of the leaders goes
TOKEN = "Consistency-Token"
Change = Callable[[NodeProcess], None]


def stepped_down(cluster: NodeProcess) -> None:
    cluster.step_down()


def lost_and_found(cluster: NodeProcess) -> None:
    with cluster.lost(cluster.leader()):
        cluster.leader()


@pytest.fixture
async def bank(postgres: str, tmp_path: Path) -> AsyncIterator[tuple[Bank, NodeProcess]]:
    """A bank at work, and the cluster on which it is: followers are behind."""
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(
            NodeProcess(cluster=True, follower_lag=0.2, election_time=0.4)
        )
        settings = {
            "HEADWATER_EVENTSTOREDB_URI": cluster.uri,
            "HEADWATER_POSTGRES_URI": postgres,
        }
        await asyncio.to_thread(cluster.leader)
        container = wired(BANK, settings_of(settings, home=tmp_path))
        bank = await stack.enter_async_context(bank_over(container))
        await stack.enter_async_context(reacting(container))
        yield bank, cluster


async def test_transfers_are_taken_and_carried_out_whoever_leads(
    bank: tuple[Bank, NodeProcess],
) -> None:
    """The leader steps down, is lost, and steps down: every transfer is accepted in the end, under
    its first key and once, is seen with its token, and is carried out. The service is ready again,
    and has answered nothing with 500."""
    seen, cluster = set[int](), bank[1]
    await _insisted(bank[0], seen, "/accounts/a-1/deposits", {"amount": 1000}, "goods")
    transfers: list[str] = []
    for number, change in enumerate((stepped_down, lost_and_found, stepped_down)):
        changing = asyncio.create_task(asyncio.to_thread(change, cluster))
        keys = [f"transfer-{number}-{one}" for one in range(TRANSFERS)]
        for key in keys:
            placed = await _insisted(bank[0], seen, "/transfers", TRANSFER, key)
            transfers.append(placed.headers["Location"])
            await _is_seen(bank[0], seen, placed)
        await changing

    assert len(set(transfers)) == 3 * TRANSFERS
    await until_true(lambda: _are_carried_out(bank[0], transfers))
    await until_true(lambda: _is_ready(bank[0]))
    for transfer in transfers:
        events = await bank[0].events(f"transfer-{id_of(transfer)}")
        assert events == ["TransferRequested", "TransferCompleted"]
    assert seen <= {200, 201, 202, 503}


async def _insisted(
    bank: Bank, seen: set[int], path: str, body: object, key: str
) -> httpx.Response:
    """The answer to that command, repeated as long as it is refused for now."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await bank.post(path, body, {"Idempotency-Key": key})
            seen.add(answer.status_code)
            if answer.is_success:
                return answer
            await asyncio.sleep(0.02)


async def _is_seen(bank: Bank, seen: set[int], placed: httpx.Response) -> None:
    """Whoever asks with the token of a command sees what it did, or hears that it is to come."""
    async with asyncio.timeout(PATIENCE):
        while True:
            token = {TOKEN: placed.headers[TOKEN]}
            answer = await bank.http.get(placed.headers["Location"], headers=token)
            seen.add(answer.status_code)
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.02)


async def _are_carried_out(bank: Bank, transfers: list[str]) -> bool:
    answers = [await bank.http.get(f"{path}/progress") for path in transfers]
    return all(one.is_success and one.json()["status"] == "completed" for one in answers)


async def _is_ready(bank: Bank) -> bool:
    return (await bank.http.get("/health/ready")).is_success
