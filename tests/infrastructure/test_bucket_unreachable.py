"""The runbook *bucket unreachable*, drilled: the server of S3 is killed, and started again."""

from collections.abc import Iterator

import pytest
from dependency_injector import providers

from infrastructure.container import Container
from infrastructure.processes.service import projecting
from tests.payload_stores import payloads_on
from tests.sample.client import TRANSFER, Bank, bank_over, empty_bank
from tests.servers import S3, S3_SERVER, Started, require_here, started
from tests.waiting import until_true

LARGE = {**TRANSFER, "notes": ["a long story " * 7] * 200}


@pytest.fixture
def server() -> Iterator[Started]:
    """One that a test can kill."""
    require_here(S3_SERVER)
    with started(S3_SERVER) as server:
        yield server


def bank_with(server: Started) -> Container:
    """A bank in memory with its payloads there."""
    at = S3.at(server.address)
    bank = empty_bank()
    bank.payload_store.override(providers.Object(payloads_on(at, at.bucket())))
    return bank


async def test_while_the_bucket_is_away_all_else_goes_on(server: Started) -> None:
    """What needs it is answered 503 and loses nothing; readiness names it; then all goes on."""
    async with bank_over(bank_with(server), projects=False) as bank:
        before = await bank.requested(**LARGE)

        server.kill()
        async with projecting(bank.container):
            refused = await bank.post("/transfers", LARGE, {"Idempotency-Key": "k-1"})
            assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
            assert (await bank.http.get(f"{before}/history")).status_code == 503
            assert await bank.requested(), "a small event needs no payload"
            await until_true(lambda: named(bank))
            assert (await bank.http.get(before)).status_code != 200, "the read model waits"

            server.start_again()
            await until_true(lambda: accepted(bank))  # it answers before all of its parts do
            again = await bank.post("/transfers", LARGE, {"Idempotency-Key": "k-1"})
            assert (await bank.http.get(f"{before}/history")).is_success
            for path in (before, again.headers["Location"]):
                assert (await bank.get(path)).status_code == 200


async def accepted(bank: Bank) -> bool:
    """Whether the client that comes again with its key is answered at last."""
    answer = await bank.post("/transfers", LARGE, {"Idempotency-Key": "k-1"})
    assert answer.status_code in (201, 503), answer.text
    return answer.status_code == 201


async def named(bank: Bank) -> bool:
    """Whether readiness shows the fault. The process is ready all the same."""
    answer = await bank.http.get("/health/ready")
    return "no answer from" in answer.json()["checks"]["payload store"]
