"""Inline read models over HTTP: what was done is seen at once, although nobody projects."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infrastructure.container import opened_to_serve, wired
from infrastructure.http.app import create_app
from infrastructure.settings import InvalidSettings
from infrastructure.shop.program import PROGRAM
from tests.shop.infrastructure.shop import ORDER
from tests.stores import NOWHERE, understood


@pytest.fixture
async def http(postgres: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A shop without any runner, whose read models are inline."""
    inline = "stock_levels, order_summary, customer_orders"
    settings = {
        "HEADWATER_EVENT_STORE": "postgres",
        "HEADWATER_POSTGRES_URI": postgres,
        "HEADWATER_INLINE_PROJECTIONS": inline,
    }
    app = create_app(wired(PROGRAM, understood({**settings, **NOWHERE}, home=tmp_path)))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        yield http


async def test_a_question_sees_what_was_just_done(http: httpx.AsyncClient) -> None:
    """Without a token, without waiting: the views were committed with the events."""
    for number in range(1, 4):
        await http.post("/stock/85123A/receipts", json={"quantity": 5})
        level = (await http.get("/stock/85123A")).json()
        assert level["on_hand"] == 5 * number

    placed = await http.post("/orders", json=ORDER)
    order = (await http.get(placed.headers["Location"])).json()
    assert order["total"] == "15.30 GBP"
    customer = (await http.get("/customers/17850")).json()
    assert len(customer["orders"]) == 1


async def test_a_token_is_honoured_at_once(http: httpx.AsyncClient) -> None:
    """The checkpoint came along with the view, so there is nothing to wait for."""
    done = await http.post("/stock/85123A/receipts", json={"quantity": 5})
    token = {"Consistency-Token": done.headers["Consistency-Token"]}

    assert (await http.get("/stock/85123A", headers=token)).status_code == 200


async def test_an_unknown_read_model_is_named(postgres: str, tmp_path: Path) -> None:
    """Also where inline is possible."""
    settings = {
        "HEADWATER_EVENT_STORE": "postgres",
        "HEADWATER_POSTGRES_URI": postgres,
        "HEADWATER_INLINE_PROJECTIONS": "sales",
    }
    container = wired(PROGRAM, understood({**settings, **NOWHERE}, home=tmp_path))

    with pytest.raises(InvalidSettings, match="there is no sales, but order_summary"):
        async with opened_to_serve(container):
            pass
