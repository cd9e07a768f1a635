"""Ids of others, on every route that gives callers their own things: generated from the rules."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from infrastructure.http.access import rules
from infrastructure.shop.program import PROGRAM
from tests.callers import named, with_named_callers
from tests.infrastructure.described import Operation, operations
from tests.shop.infrastructure.shop import ORDER, Shop, empty_shop, shop_over

OWNER, OTHER = "17850", "12345"
THEIRS: Final = named("customer", OWNER)
MINE: Final = named("customer", OTHER)
NOBODYS: Final = "0c0ffee0-0000-4000-8000-000000000000"


def guarded() -> Iterator[Operation]:
    """Each route on which some callers are limited to what is their own, and which names an id."""
    own = {
        (path_of(route.path), *(route.methods or ()))
        for route, rule in rules(PROGRAM.routes())
        if rule.own
    }
    for operation in operations(PROGRAM, {}):
        if "{" in operation.path and (path_of(operation.path), operation.method) in own:
            yield operation


def path_of(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def filled(operation: Operation, order: str, customer: str) -> str:
    """The path with these ids; of other things, with one that this order has made."""
    ids = {"customer_id": customer}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: ids.get(found[1], order), operation.path)


def test_there_are_such_routes() -> None:
    """Of orders and of customers, to read and to change."""
    found = {str(operation) for operation in guarded()}
    assert len(found) >= 8
    assert {one.partition(" ")[0] for one in found} >= {"GET", "POST"}


@pytest.mark.parametrize("operation", [*guarded()], ids=str)
async def test_what_is_anothers_is_as_if_it_were_not_there(operation: Operation) -> None:
    """The same answer as for an id that nobody has; no word of the other, and no new event."""
    async with shop_over(with_named_callers(empty_shop())) as shop:
        placed = await shop.post("/orders", {**ORDER, "customer_id": OWNER}, dict(THEIRS))
        order = placed.headers["Location"].removeprefix("/orders/")
        await shop.get(f"/orders/{order}", dict(THEIRS))
        before = await shop.events(f"order-{order}")

        refused = await _asked(shop, operation, filled(operation, order, OWNER))
        unknown = await _asked(shop, operation, filled(operation, NOBODYS, "99999"))

        assert refused.status_code == unknown.status_code in (403, 404), refused.text
        said = refused.text.replace(order, NOBODYS).replace(OWNER, "99999")
        assert said == unknown.text
        assert ORDER["country"] not in refused.text
        assert await shop.events(f"order-{order}") == before


async def _asked(shop: Shop, operation: Operation, path: str) -> Any:
    return await shop.http.request(
        operation.method, path, headers=MINE, json=_filled(operation.body)
    )


def _filled(body: Any) -> Any:
    """Without the ids in it that are examples: they are nobody's."""
    return {name: value for name, value in (body or {}).items() if name != "customer_id"} or None


@pytest.mark.parametrize(
    "path", ["/orders?customer_id=17850", "/orders?customer_id=12345&customer_id=17850"]
)
async def test_a_list_shows_no_others_by_a_parameter(path: str) -> None:
    """Neither alone nor beside one's own."""
    async with shop_over(with_named_callers(empty_shop())) as shop:
        await shop.post("/orders", {**ORDER, "customer_id": OWNER}, dict(THEIRS))
        answer = await shop.get(path, dict(MINE))
        assert answer.status_code in (403, 422)
        assert "lines" not in answer.text
