"""Backpressure over HTTP, and what a wiring refuses to promise."""

from application.projections.builds import Build, Role
from application.projections.lag import Lag
from tests.infrastructure.test_http_consistency import nobody_projects
from tests.infrastructure.test_http_problems import problem
from tests.projection_specification import START
from tests.sample.client import TRANSFER, Bank, id_of
from tests.sample.transfers import CancelTransfer


def behind(bank: Bank, seconds: float) -> None:
    """The last look at the read models found this."""
    for age in (0.0, seconds):
        build = Build("transfer_summary", 1)
        lag = Lag(build, Role.LIVE, True, "", 1, age, None, 1.0, False, False, False, 0, START)
        bank.container.backpressure().look([lag])


async def test_beyond_the_limit_a_command_is_refused_and_told_when_to_come_again() -> None:
    """503 as a problem with `Retry-After`; nothing was done. Questions are answered as always."""
    async with nobody_projects() as bank:
        behind(bank, 40)

        answer = await bank.post("/transfers", TRANSFER)

        assert problem(answer, 503)["type"] == "urn:headwater:problem:overloaded"
        assert "transfer_summary is 40 s behind" in answer.json()["detail"]
        assert int(answer.headers["Retry-After"]) == 20
        assert await bank.container.subscriptions().store_id() is None, "nothing is in the store"
        assert (await bank.http.get("/transfers")).status_code == 200


async def test_once_the_read_models_have_come_closer_commands_pass() -> None:
    """The same request, sent again, is carried out."""
    async with nobody_projects() as bank:
        behind(bank, 40)
        assert (await bank.post("/transfers", TRANSFER)).status_code == 503
        behind(bank, 1)
        assert (await bank.post("/transfers", TRANSFER)).status_code == 201


async def test_the_limits_are_settings() -> None:
    """What is too much for one service is nothing to another."""
    limits = {"backpressure_slow_seconds": 50, "backpressure_refuse_seconds": 60}
    async with nobody_projects(**limits) as bank:
        behind(bank, 40)
        assert (await bank.post("/transfers", TRANSFER)).status_code == 201


async def test_what_a_saga_has_begun_is_not_held_up() -> None:
    """Only wishes from outside are refused: dispatch itself knows no limit."""
    async with nobody_projects() as bank:
        transfer = await bank.requested()
        behind(bank, 40)
        await bank.dispatch(id_of(transfer), CancelTransfer(reason="no stock"))
        assert len(await bank.events(f"transfer-{transfer.removeprefix('/transfers/')}")) == 2
