"""The shop's read models, inline: what was done is seen at once, although nobody projects."""

from pathlib import Path

import httpx

from infrastructure.container import wired
from infrastructure.http.app import create_app
from infrastructure.shop.program import PROGRAM
from tests.shop.infrastructure.shop import ORDER
from tests.shop.stores import NOWHERE, settings_of


async def test_read_models_of_every_kind_may_be_inline(postgres: str, tmp_path: Path) -> None:
    """By stream, by day, and joined from parts."""
    settings = {
        **NOWHERE,
        "HEADWATER_EVENT_STORE": "postgres",
        "HEADWATER_POSTGRES_URI": postgres,
        "HEADWATER_INLINE_PROJECTIONS": "stock_levels, daily_sales, customer_orders",
    }
    app = create_app(wired(PROGRAM, settings_of(settings, home=tmp_path)))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        for number in range(1, 4):
            await http.post("/orders", json=ORDER)
            await http.post("/stock/85123A/receipts", json={"quantity": 5})

            assert (await http.get("/stock/85123A")).json()["on_hand"] == 5 * number
            customer = (await http.get("/customers/17850")).json()
            assert customer["order_count"] == number
            (day,) = (await http.get("/sales")).json()["sales"]
            assert day["orders"] == number
