"""Orders over HTTP: what only the shop's routes take and refuse."""

from typing import Any

import pytest

from tests.infrastructure.test_http_problems import problem
from tests.shop.infrastructure.shop import LINE, ORDER, Shop

KEY = {"Idempotency-Key": "once"}


async def test_a_placed_order_says_where_it_is(shop: Shop) -> None:
    """201, where the order is, and its version."""
    answer = await shop.post("/orders", ORDER)

    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"0"'
    id = answer.headers["Location"].removeprefix("/orders/")
    assert answer.json() == {"id": id, "version": 0, "events": ["OrderPlaced"]}
    assert (await shop.get(answer.headers["Location"])).json()["customer_id"] == "17850"


async def test_goods_come_back_line_by_line(shop: Shop) -> None:
    """A return is recorded, and what came back shows in the order."""
    order = await shop.shipped()
    answer = await shop.post(f"{order}/returns", {"lines": [{"line": 1, "quantity": 2}]})

    assert (answer.status_code, answer.json()["events"]) == (200, ["LinesReturned"])
    shown = (await shop.get(order)).json()
    assert (shown["returned_units"], shown["returned_total"]) == (2, "5.10 GBP")
    assert shown["lines"][0]["returned"] == 2


async def test_a_retried_return_takes_back_once(shop: Shop) -> None:
    """The id of the return comes from the key, so it is the same return."""
    order = await shop.shipped()
    for _ in range(3):
        await shop.post(f"{order}/returns", {"lines": [{"line": 1, "quantity": 2}]}, KEY)

    assert (await shop.get(order)).json()["returned_units"] == 2


async def test_prices_keep_every_decimal(shop: Shop) -> None:
    """A price of three decimals is neither rounded nor turned into a float on its way."""
    order = await shop.placed(lines=[{**LINE, "quantity": 1000, "unit_price": "0.001 GBP"}])
    shown = (await shop.get(order)).json()

    assert shown["lines"][0]["unit_price"] == "0.001 GBP"
    assert shown["total"] == "1.000 GBP"


async def test_a_refusal_is_told_as_it_stands_in_the_domain(shop: Shop) -> None:
    """409: the type is the name of the refusal, the title its meaning, the detail the case."""
    order = await shop.placed()
    answer = await shop.post(f"{order}/returns", {"lines": [{"line": 1, "quantity": 1}]})

    told = problem(answer, 409)
    assert told["type"] == "urn:headwater:problem:not-shipped"
    assert told["title"] == "The goods have not left yet."
    assert told["detail"]


@pytest.mark.parametrize("path", ["/orders/o-1", "/orders/o-1/history", "/stock/85123A"])
async def test_what_is_not_known_is_not_found(shop: Shop, path: str) -> None:
    """404, and the detail names what was looked for."""
    assert path.split("/")[2] in problem(await shop.get(path), 404)["detail"]


@pytest.mark.parametrize(
    ("changed", "field", "right"),
    [
        ({"lines": []}, "lines", "at least 1"),
        ({"lines": [{**LINE, "quantity": 0}]}, "lines[0].quantity", "greater than 0"),
        ({"lines": [{**LINE, "quantity": 1.0}]}, "lines[0].quantity", "integer"),
        ({"lines": [{**LINE, "quantity": "6"}]}, "lines[0].quantity", "integer"),
        ({"lines": [LINE, {**LINE, "unit_price": 2.55}]}, "lines[1].unit_price", "'2.55 GBP'"),
        ({"lines": [{**LINE, "unit_price": "2.55"}]}, "lines[0].unit_price", "'2.55 GBP'"),
        ({"lines": [{**LINE, "unit_price": "NaN GBP"}]}, "lines[0].unit_price", "'2.55 GBP'"),
        ({"lines": [{**LINE, "unit_price": "-0 GBP"}]}, "lines[0].unit_price", "'2.55 GBP'"),
        ({"lines": [{**LINE, "unit_price": "1.0000000 GBP"}]}, "lines[0].unit_price", "6 decimals"),
        ({"lines": [{**LINE, "unit_price": "1 ABC"}]}, "lines[0].unit_price", "no currency ABC"),
        ({"lines": [LINE] * 1201}, "lines", "at most 1200"),
        ({"lines": [{**LINE, "sku": " "}]}, "lines[0].sku", "pattern"),
        ({"lines": [{**LINE, "description": "\0"}]}, "lines[0].description", "pattern"),
        ({"lines": [{**LINE, "colour": "red"}]}, "lines[0].colour", "not permitted"),
        ({"from_history": True}, "from_history", "not permitted"),
        ({"customer_id": "no one"}, "customer_id", "pattern"),
    ],
)
async def test_a_bad_field_is_named_with_what_would_be_right(
    shop: Shop, changed: dict[str, Any], field: str, right: str
) -> None:
    """422, field by field, and nothing is written."""
    told = problem(await shop.post("/orders", {**ORDER, **changed}), 422)

    assert [error["field"] for error in told["errors"]] == [field]
    assert right in told["errors"][0]["problem"]
    assert (await shop.get("/orders")).json()["orders"] == []


async def test_what_nobody_could_charge_is_refused_when_it_is_asked_for(shop: Shop) -> None:
    """409 with what the smallest unit is, and nothing is written."""
    answer = await shop.post("/orders", {"lines": [{**LINE, "unit_price": "1.005 JPY"}]})

    assert "the smallest unit of JPY is 1" in problem(answer, 409)["detail"]
    assert (await shop.get("/orders")).json()["orders"] == []
