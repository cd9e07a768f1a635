"""What comes in over HTTP: the laws of every route, and the texts that only the shop takes."""

import pytest

from infrastructure.shop.program import PROGRAM
from tests.infrastructure.door_laws import *  # noqa: F403 - every law is a test of this suite
from tests.infrastructure.door_laws import of
from tests.infrastructure.test_http_problems import problem
from tests.shop.infrastructure.shop import LINE, Shop

pytest_generate_tests = of(
    PROGRAM, ids={"order_id": "o-1", "sku": "85123A", "customer_id": "17850", "exchange_id": "e-1"}
)


@pytest.fixture
def client(shop: Shop) -> Shop:
    """Whose routes these are."""
    return shop


@pytest.fixture
def client_on_servers(shop_on_servers: Shop) -> Shop:
    """The same, on each event store."""
    return shop_on_servers


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/sales?country=%00", "query.country"),
        ("/sales?after=%00", "query.after"),
        ("/customers?after=%00", "query.after"),
        ("/products?after=1~%00", "query.after"),
        ("/products?words=%ff", "query.words"),
        ("/stock/%00", "path"),
        ("/products/%ed%a0%80", "path"),
    ],
)
async def test_what_is_no_text_is_refused_by_the_name_of_its_place(
    shop: Shop, url: str, field: str
) -> None:
    """422 for NUL and for bytes that are no UTF-8."""
    told = problem(await shop.http.get(url), 422)

    assert [error["field"] for error in told["errors"]] == [field]


@pytest.mark.parametrize("day", ["20101201", "0", "1e9", "2010-13-01", "2010-12-1", "01-12-2010"])
async def test_a_day_is_written_one_way(shop: Shop, day: str) -> None:
    """A number would be taken for seconds since 1970, and answered with other days."""
    told = problem(await shop.http.get(f"/sales?from={day}"), 422)

    assert [error["field"] for error in told["errors"]] == ["query.from"]


async def test_text_is_composed_at_the_door(shop: Shop) -> None:
    """Who writes é as e and an accent finds what was written é, and the other way round."""
    lines = [{**LINE, "sku": "CAFE\u0301", "description": "Mo\u0301veis"}]
    order = await shop.placed(country="Me\u0301xico", lines=lines)

    shown = (await shop.get(order)).json()
    assert shown["country"] == "México"
    assert shown["lines"][0]["description"] == "Móveis"
    for spelt in ("CAFE%CC%81", "CAF%C3%89"):
        assert (await shop.get(f"/products/{spelt}")).json()["sku"] == "CAFÉ"
    for spelt in ("Me%CC%81xico", "M%C3%A9xico"):
        assert len((await shop.get(f"/sales?country={spelt}")).json()["sales"]) == 1
