"""Inline read models over HTTP: what was done is seen at once, although nobody projects."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infrastructure.connecting import opened_to_serve
from infrastructure.container import wired
from infrastructure.http.app import create_app
from infrastructure.settings import InvalidSettings
from tests.sample.client import TRANSFER
from tests.sample.program import BANK
from tests.stores import settings_of


@pytest.fixture
async def http(postgres: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A bank without any runner, whose read models are inline."""
    inline = "balances, transfer_summary, statements"
    settings = {
        "HEADWATER_EVENT_STORE": "postgres",
        "HEADWATER_POSTGRES_URI": postgres,
        "HEADWATER_INLINE_PROJECTIONS": inline,
    }
    app = create_app(wired(BANK, settings_of(settings, home=tmp_path)))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        yield http


async def test_a_question_sees_what_was_just_done(http: httpx.AsyncClient) -> None:
    """Without a token, without waiting: the views were committed with the events."""
    for number in range(1, 4):
        await http.post("/accounts/a-1/deposits", json={"amount": 5})
        level = (await http.get("/accounts/a-1")).json()
        assert level["balance"] == 5 * number

    placed = await http.post("/transfers", json=TRANSFER)
    transfer = (await http.get(placed.headers["Location"])).json()
    assert transfer["amount"] == 3
    statement = (await http.get("/statements/a-1")).json()
    assert len(statement["entries"]) == 1


async def test_a_token_is_honoured_at_once(http: httpx.AsyncClient) -> None:
    """The checkpoint came along with the view, so there is nothing to wait for."""
    done = await http.post("/accounts/a-1/deposits", json={"amount": 5})
    token = {"Consistency-Token": done.headers["Consistency-Token"]}

    assert (await http.get("/accounts/a-1", headers=token)).status_code == 200


async def test_an_unknown_read_model_is_named(postgres: str, tmp_path: Path) -> None:
    """Also where inline is possible."""
    settings = {
        "HEADWATER_EVENT_STORE": "postgres",
        "HEADWATER_POSTGRES_URI": postgres,
        "HEADWATER_INLINE_PROJECTIONS": "sums",
    }
    container = wired(BANK, settings_of(settings, home=tmp_path))

    with pytest.raises(InvalidSettings, match="there is no sums, but balances"):
        async with opened_to_serve(container):
            pass
