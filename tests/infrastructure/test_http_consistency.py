"""Read your writes over HTTP: a question that carries a command's token is fresh, or says no."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from infrastructure.http.app import create_app
from tests.infrastructure.test_http_problems import problem
from tests.shop.infrastructure.shop import ORDER, Shop, empty_shop, shop_over

TOKEN = "Consistency-Token"


@asynccontextmanager
async def nobody_projects(**settings: Any) -> AsyncIterator[Shop]:
    """A shop whose read models stay as they are."""
    container = empty_shop(**settings)
    app = create_app(container)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        yield Shop(http, container)


def token_of(answer: httpx.Response) -> dict[str, str]:
    return {TOKEN: answer.headers[TOKEN]}


async def test_what_was_just_done_is_seen(shop: Shop) -> None:
    """An answer with the token of a command shows what the command did, time after time."""
    for _ in range(20):
        placed = await shop.post("/orders", ORDER)
        answer = await shop.http.get(placed.headers["Location"], headers=token_of(placed))
        assert answer.status_code == 200


async def test_the_answer_tells_how_old_it_is(shop: Shop) -> None:
    """`Projection-Lag` in seconds, also with a 404."""
    order = await shop.placed()
    assert float((await shop.get(order)).headers["Projection-Lag"]) >= 0
    assert float((await shop.get("/orders/none")).headers["Projection-Lag"]) >= 0


async def test_unknown_freshness_is_not_passed_off_as_fresh() -> None:
    """While nobody reports, the lag is `unknown`, not 0."""
    async with nobody_projects() as shop:
        assert (await shop.http.get("/orders")).headers["Projection-Lag"] == "unknown"


async def test_what_is_not_shown_yet_is_said_to_be_committed() -> None:
    """202 with the read model, where it is, and when to ask again: never a stale answer."""
    async with nobody_projects(consistency_wait_seconds=0.05) as shop:
        placed = await shop.post("/orders", ORDER)

        answer = await shop.http.get(placed.headers["Location"], headers=token_of(placed))

        assert answer.status_code == 202
        assert answer.headers["Retry-After"]
        assert answer.json()["status"] == "committed, not yet projected"
        assert (answer.json()["projection"], answer.json()["checkpoint"]) == ("order_summary", None)


async def test_only_a_read_model_that_follows_the_command_waits_for_it() -> None:
    """What was done to an order cannot change stock: there is nothing to wait for."""
    async with nobody_projects(consistency_wait_seconds=60) as shop:
        placed = await shop.post("/orders", ORDER)

        answer = await shop.http.get("/stock/X", headers=token_of(placed))

        assert problem(answer, 503)["type"] == "urn:headwater:problem:not-known-yet", "not 202"


async def test_a_command_that_did_nothing_need_not_be_waited_for(shop: Shop) -> None:
    """Its token stands for nothing, and is good everywhere."""
    order = await shop.placed()
    await shop.post(f"{order}/cancellation", {"reason": "too late"})
    again = await shop.post(f"{order}/cancellation", {"reason": "too late"})
    assert again.json()["events"] == []

    async with nobody_projects(consistency_wait_seconds=60) as other:
        assert (await other.http.get("/orders", headers=token_of(again))).status_code == 200


async def test_a_repeated_command_gives_the_same_token(shop: Shop) -> None:
    """Whoever retried reads his writes as well."""
    key = {"Idempotency-Key": "once"}
    first, again = [await shop.post("/orders", ORDER, key) for _ in range(2)]
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
            for t in (b"1 a order", b"2", b"1 a order x", b"1 a order 07")
        ),
    ],
)
async def test_a_token_that_is_none_is_refused(shop: Shop, token: str) -> None:
    """400 that says what to send."""
    answer = await shop.http.get("/orders", headers=[(TOKEN.encode(), token.encode())])
    assert "Consistency-Token" in problem(answer, 400)["detail"]


async def test_a_token_of_another_store_is_refused(shop: Shop) -> None:
    """400: its position means nothing here."""
    await shop.placed()
    async with shop_over(empty_shop()) as other:
        foreign = await other.post("/orders", ORDER)
        told = problem(await shop.http.get("/orders", headers=token_of(foreign)), 400)
    assert "another store" in told["detail"]
