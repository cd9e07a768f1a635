"""Read your writes over HTTP: a question that carries a command's token is fresh, or says no."""

from base64 import urlsafe_b64encode
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from tests.infrastructure.test_http_problems import problem
from tests.sample.client import TRANSFER, Bank, bank_over, empty_bank

TOKEN = "Consistency-Token"


def nobody_projects(**settings: Any) -> AbstractAsyncContextManager[Bank]:
    """A bank whose read models stay as they are."""
    return bank_over(empty_bank(**settings), projects=False)


def token_of(answer: httpx.Response) -> dict[str, str]:
    return {TOKEN: answer.headers[TOKEN]}


async def test_what_was_just_done_is_seen(bank: Bank) -> None:
    """An answer with the token of a command shows what the command did, time after time."""
    for _ in range(20):
        placed = await bank.post("/transfers", TRANSFER)
        answer = await bank.http.get(placed.headers["Location"], headers=token_of(placed))
        assert answer.status_code == 200


async def test_the_answer_tells_how_old_it_is(bank: Bank) -> None:
    """`Projection-Lag` in seconds, also with a 404."""
    transfer = await bank.requested()
    assert float((await bank.get(transfer)).headers["Projection-Lag"]) >= 0
    assert float((await bank.get("/transfers/none")).headers["Projection-Lag"]) >= 0


async def test_unknown_freshness_is_not_passed_off_as_fresh() -> None:
    """While nobody reports, the lag is `unknown`, not 0."""
    async with nobody_projects() as bank:
        assert (await bank.http.get("/transfers")).headers["Projection-Lag"] == "unknown"


async def test_what_is_not_shown_yet_is_said_to_be_committed() -> None:
    """202 with the read model, where it is, and when to ask again: never a stale answer."""
    async with nobody_projects(consistency_wait_seconds=0.05) as bank:
        placed = await bank.post("/transfers", TRANSFER)

        answer = await bank.http.get(placed.headers["Location"], headers=token_of(placed))

        assert answer.status_code == 202
        assert answer.headers["Retry-After"]
        assert answer.json()["status"] == "committed, not yet projected"
        assert (answer.json()["projection"], answer.json()["checkpoint"]) == (
            "transfer_summary",
            None,
        )


async def test_only_a_read_model_that_follows_the_command_waits_for_it() -> None:
    """A request for a transfer cannot change a balance: there is nothing to wait for."""
    async with nobody_projects(consistency_wait_seconds=60) as bank:
        placed = await bank.post("/transfers", TRANSFER)

        answer = await bank.http.get("/accounts/X", headers=token_of(placed))

        assert problem(answer, 503)["type"] == "urn:headwater:problem:not-known-yet", "not 202"


async def test_a_command_that_did_nothing_need_not_be_waited_for(bank: Bank) -> None:
    """Its token stands for nothing, and is good everywhere."""
    transfer = await bank.requested()
    await bank.post(f"{transfer}/cancellation", {"reason": "too late"})
    again = await bank.post(f"{transfer}/cancellation", {"reason": "too late"})
    assert again.json()["events"] == []

    async with nobody_projects(consistency_wait_seconds=60) as other:
        assert (await other.http.get("/transfers", headers=token_of(again))).status_code == 200


async def test_a_repeated_command_gives_the_same_token(bank: Bank) -> None:
    """Whoever retried reads his writes as well."""
    key = {"Idempotency-Key": "once"}
    first, again = [await bank.post("/transfers", TRANSFER, key) for _ in range(2)]
    assert first.headers[TOKEN] == again.headers[TOKEN]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "ä",
        "====",
        *(
            urlsafe_b64encode(t).decode()
            for t in (b"1 a transfer", b"2", b"1 a transfer x", b"1 a transfer 07")
        ),
    ],
)
async def test_a_token_that_is_none_is_refused(bank: Bank, token: str) -> None:
    """400 that says what to send."""
    answer = await bank.http.get("/transfers", headers=[(TOKEN.encode(), token.encode())])
    assert "Consistency-Token" in problem(answer, 400)["detail"]


async def test_a_token_of_another_store_is_refused(bank: Bank) -> None:
    """400: its position means nothing here."""
    await bank.requested()
    async with bank_over(empty_bank()) as other:
        foreign = await other.post("/transfers", TRANSFER)
        told = problem(await bank.http.get("/transfers", headers=token_of(foreign)), 400)
    assert "another store" in told["detail"]
