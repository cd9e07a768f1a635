"""Who may do what in the shop: every route with every role, and everybody's own things."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from fastapi.routing import APIRoute

from application.access import ADMINISTRATIVE, Reach, Role, Rule
from application.shop.access import ROLES
from infrastructure.http.access import rules
from infrastructure.shop.program import PROGRAM
from tests.callers import named, with_named_callers
from tests.infrastructure.test_http_problems import problem
from tests.shop.infrastructure.shop import LINE, ORDER, Shop, empty_shop, shop_over

EVERYBODY = (*ROLES, *ADMINISTRATIVE)
MINE, THEIRS = named("customer", "17850"), named("customer", "12345")
CLERK, WAREHOUSE = named("clerk", "carol"), named("warehouse", "walter")


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A shop whose callers say who they are, with one order of customer 17850."""
    async with shop_over(with_named_callers(empty_shop())) as shop:
        yield shop


def each() -> Iterator[tuple[APIRoute, Rule, Role | None]]:
    """Each route with each role, and without any."""
    for route, rule in rules(PROGRAM.routes()):
        if rule.reach is Reach.ROLES:
            yield from ((route, rule, role) for role in (*EVERYBODY, None))


@pytest.mark.parametrize(
    ("route", "rule", "role"),
    [
        pytest.param(*one, id=f"{min(one[0].methods or {'?'})} {one[0].path} {one[2]}")
        for one in each()
    ],
)
async def test_a_route_is_for_its_roles(
    shop: Shop, route: APIRoute, rule: Rule, role: Role | None
) -> None:
    """A caller with none of them gets 403, before anything is read; the others get further."""
    path = re.sub(r"\{[^}]*\}", "17850", route.path)
    headers = named(role.name if role else "stranger", "17850")
    (method,) = route.methods or {"?"}

    answer = await shop.http.request(method, path, headers=headers, json={})

    if role in rule.named:
        assert answer.status_code not in (401, 403)
    else:
        assert "this needs the role" in problem(answer, 403)["detail"]


async def test_without_a_name_there_is_no_answer(shop: Shop) -> None:
    """401 on every route, also on the carrier's, which asks for a token of its own."""
    for route, _ in rules(PROGRAM.routes()):
        (method,) = route.methods or {"?"}
        answer = await shop.http.request(method, re.sub(r"\{[^}]*\}", "x", route.path), json={})
        assert answer.status_code == 401, route.path


async def placed(shop: Shop, headers: Mapping[str, str], **changed: Any) -> str:
    answer = await shop.post("/orders", {**ORDER, **changed}, dict(headers))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("GET", "", None),
        ("GET", "/history", None),
        ("GET", "/fulfilment", None),
        ("GET", "/exchanges", None),
        ("POST", "/cancellation", {"reason": "mine"}),
        ("POST", "/returns", {"lines": [{"line": 1, "quantity": 1}]}),
        (
            "POST",
            "/exchanges",
            {"lines": [{"line": 1, "quantity": 1}], "replacements": [LINE]},
        ),
    ],
)
async def test_an_order_of_another_customer_is_as_if_it_were_not_there(
    shop: Shop, method: str, below: str, body: Any
) -> None:
    """404, word for word as for an order that nobody has placed; nothing has changed."""
    order = await placed(shop, MINE)
    await shop.get(order, MINE)
    before = await shop.events(f"order-{order.removeprefix('/orders/')}")

    answer = await shop.http.request(method, order + below, json=body, headers=THEIRS)
    unknown = await shop.http.request(method, f"/orders/none{below}", json=body, headers=THEIRS)

    shown = problem(answer, 404)["detail"]
    assert shown.replace(order.removeprefix("/orders/"), "none") == problem(unknown, 404)["detail"]
    assert await shop.events(f"order-{order.removeprefix('/orders/')}") == before


async def test_customers_order_for_themselves(shop: Shop) -> None:
    """Without a customer in the body, the caller is the customer; another one is refused."""
    order = await placed(shop, MINE, customer_id=None)
    refused = await shop.post("/orders", {**ORDER, "customer_id": "12345"}, MINE)

    assert (await shop.get(order, MINE)).json()["customer_id"] == "17850"
    assert "somebody else" in problem(refused, 403)["detail"]


async def test_customers_list_their_own_orders(shop: Shop) -> None:
    """All of theirs, and none of another's, whatever they ask for."""
    mine, theirs = await placed(shop, MINE), await placed(shop, THEIRS, customer_id="12345")

    found = (await shop.get("/orders", MINE)).json()["orders"]
    all = (await shop.get("/orders", CLERK)).json()["orders"]

    assert [f"/orders/{one['order_id']}" for one in found] == [mine]
    assert {f"/orders/{one['order_id']}" for one in all} == {mine, theirs}
    assert (await shop.get("/orders?customer_id=12345", MINE)).status_code == 403
    assert (await shop.get("/customers/12345", MINE)).status_code == 403
    assert (await shop.get("/customers/12345/orders", MINE)).status_code == 403
    assert (await shop.get("/customers/17850", MINE)).status_code == 200


async def test_an_order_of_a_guest_is_nobodys_own(shop: Shop) -> None:
    """A caller without a subject cannot have anything of their own."""
    order = await placed(shop, CLERK, customer_id=None)

    assert (await shop.get(order, MINE)).status_code == 404
    assert (await shop.get(order, named("customer"))).status_code == 403
    assert (await shop.get(order, CLERK)).status_code == 200


async def test_a_staff_role_counts_besides_that_of_a_customer(shop: Shop) -> None:
    """A clerk who is a customer, too, is not limited to their own."""
    order = await placed(shop, THEIRS, customer_id="12345")

    assert (await shop.get(order, named("customer,clerk", "17850"))).status_code == 200


async def test_two_customers_may_choose_the_same_key(shop: Shop) -> None:
    """An Idempotency-Key is its caller's: the other gets an order of their own."""
    key = {"Idempotency-Key": "my-first-order"}
    mine = await placed(shop, {**MINE, **key})
    theirs = await placed(shop, {**THEIRS, **key}, customer_id="12345")

    assert mine != theirs
    assert await placed(shop, {**MINE, **key}) == mine


async def test_events_name_who_it_was(shop: Shop) -> None:
    """The actor of each event is the caller of the request that led to it."""
    order = await placed(shop, MINE)
    assert (await shop.post(f"{order}/cancellation", {"reason": "r"}, CLERK)).status_code == 200

    history = (await shop.get(f"{order}/history", CLERK)).json()["events"]

    assert [one["metadata"]["actor"] for one in history] == ["test|17850", "test|carol"]
