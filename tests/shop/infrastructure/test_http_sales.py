"""Sales over HTTP: by day, by customer, by product."""

from datetime import date, timedelta
from urllib.parse import quote

import pytest

from tests.infrastructure.test_http_problems import problem
from tests.shop.infrastructure.shop import LINE, Shop

HEART = {**LINE, "description": "WHITE HANGING HEART T-LIGHT HOLDER"}
LANTERN = {"sku": "71053", "quantity": 2, "unit_price": "3.39 GBP", "description": "METAL LANTERN"}


async def test_a_day_shows_what_was_sold_and_what_came_back(shop: Shop) -> None:
    """Two orders and a return make one line for their day, country and currency."""
    order = await shop.shipped()
    await shop.placed(country="Norway")
    await shop.post(f"{order}/returns", {"lines": [{"line": 1, "quantity": 2}]})

    sales = (await shop.get("/sales?country=France")).json()["sales"]

    assert [(day["orders"], day["gross"], day["returned"], day["net"]) for day in sales] == [
        (1, "15.30 GBP", "5.10 GBP", "10.20 GBP")
    ]


@pytest.mark.parametrize(
    ("first", "last", "found"), [(-1, 1, 1), (0, 0, 1), (1, 2, 0), (-2, -1, 0)]
)
async def test_sales_are_found_by_days(shop: Shop, first: int, last: int, found: int) -> None:
    """Both days are included; a day without sales has no line."""
    await shop.placed()
    (sold,) = (await shop.get("/sales")).json()["sales"]
    today = date.fromisoformat(sold["day"])  # it may be tomorrow by now
    start, end = (today + timedelta(days=days) for days in (first, last))

    answer = await shop.get(f"/sales?from={start}&to={end}")

    assert len(answer.json()["sales"]) == found


async def test_days_that_make_no_sense_are_refused(shop: Shop) -> None:
    """422 that names what was wrong: the wrong way round, or no day at all."""
    told = problem(await shop.get("/sales?from=2011-02-01&to=2011-01-01"), 422)
    assert "2011-02-01" in told["detail"]
    problem(await shop.get("/sales?from=2011-02-30"), 422)
    problem(await shop.get("/sales?limit=0"), 422)


async def test_sales_come_in_pages(shop: Shop) -> None:
    """Following `next` shows every line once, under the same conditions."""
    for country in ("France", "Norway", "Eire"):
        await shop.placed(country=country)

    seen, next = [], "/sales?limit=1"
    while next:
        page = (await shop.get(next)).json()
        seen += [day["country"] for day in page["sales"]]
        next = page["next"]

    assert seen == ["Eire", "France", "Norway"]


async def test_a_customer_is_a_summary_of_the_orders(shop: Shop) -> None:
    """What all orders come to, and no order itself; the same in a list."""
    await shop.placed(customer_id="1")
    await shop.placed(customer_id="1")
    await shop.placed(customer_id="2")

    customer = (await shop.get("/customers/1")).json()
    listed = (await shop.get("/customers?limit=1")).json()

    assert (customer["order_count"], customer["totals"]) == (2, ["30.60 GBP"])
    assert listed["customers"] == [customer]
    assert (await shop.get(listed["next"])).json()["customers"][0]["customer_id"] == "2"


async def test_the_orders_of_a_customer_come_in_pages(shop: Shop) -> None:
    """Oldest first, with their status; `next` shows each once, and nobody else's."""
    placed = [await shop.placed(customer_id="1") for _ in range(3)]
    await shop.placed(customer_id="1.1")
    await shop.post(f"{placed[1]}/cancellation", {"reason": "too late"})

    seen, next = [], "/customers/1/orders?limit=1"
    while next:
        page = (await shop.get(next)).json()
        seen += page["orders"]
        next = page["next"]

    assert [f"/orders/{order['order_id']}" for order in seen] == placed
    assert [order["status"] for order in seen] == ["placed", "cancelled", "placed"]
    assert seen[0]["total"] == "15.30 GBP"


async def test_the_unknown_is_not_found(shop: Shop) -> None:
    """404 with what was asked for."""
    assert "nobody" in problem(await shop.get("/customers/nobody"), 404)["detail"]
    assert "nobody" in problem(await shop.get("/customers/nobody/orders"), 404)["detail"]
    assert "no/such" in problem(await shop.get("/products/no/such"), 404)["detail"]


async def test_products_are_found_by_how_words_begin(shop: Shop) -> None:
    """In any order and case, in descriptions or the code; all of them have to be there."""
    await shop.placed(lines=[HEART, LANTERN])

    async def found(words: str) -> list[str]:
        answer = await shop.get(f"/products?words={quote(words)}")
        return [product["sku"] for product in answer.json()["products"]]

    assert await found("heart hang") == ["85123A"]
    assert await found("85123") == ["85123A"]
    assert await found("lantern heart") == []
    assert await found("") == ["85123A", "71053"]
    assert await found("' | & :* \\") == ["85123A", "71053"]


async def test_products_come_by_rank_in_pages(shop: Shop) -> None:
    """Those most sold first, equals by code; `next` goes on behind the last."""
    await shop.placed(lines=[{**LANTERN, "sku": sku} for sku in ("C", "A", "B")])
    await shop.placed(lines=[{**LANTERN, "sku": "B"}])

    seen, next = [], "/products?limit=1"
    while next:
        page = (await shop.get(next)).json()
        seen += [product["sku"] for product in page["products"]]
        next = page["next"]

    assert seen == ["B", "A", "C"]
    assert "after" in problem(await shop.get("/products?after=nonsense"), 422)["detail"]
