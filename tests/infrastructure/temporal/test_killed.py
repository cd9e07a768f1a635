"""Temporal's server killed in the midst of sagas (the real one, with its file): nothing is lost."""

import pytest

from infrastructure.providers.simulated import Fault
from tests.infrastructure.temporal.test_service import AWAY, delayed, moving
from tests.infrastructure.test_saga_monitoring import reached, transferred
from tests.sample.client import Bank
from tests.servers import LASTING_TEMPORAL, started
from tests.waiting import until_true


@pytest.mark.usefixtures("temporal")  # is it installed?
async def test_sagas_go_on_when_the_killed_server_is_back() -> None:
    """One that was under way, and one that was requested while it was away; readiness shows it."""
    with started(LASTING_TEMPORAL) as server:
        async with moving(server.address, AWAY) as (bank, faults):
            before = await transferred(bank)
            await until_true(lambda: delayed(bank, before))
            server.kill()
            meanwhile = await transferred(bank)
            await until_true(lambda: is_away(bank))
            faults.set([Fault(kind="unavailable", call="redeem", times=1)])
            server.start_again()

            for transfer in (before, meanwhile):
                await reached(bank, transfer, "completed")
                steps = [
                    (entry["name"], entry["outcome"])
                    for entry in (await bank.get(f"{transfer}/progress")).json()["timeline"]
                ]
                assert len(steps) == len(set(steps))


async def is_away(bank: Bank) -> bool:
    answer = await bank.http.get("/health/ready")
    return "Temporal does not" in str(answer.json())
