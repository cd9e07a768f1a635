"""Questions over HTTP: orders, their history, stock."""

import json
import re

from tests.shop.infrastructure.shop import LINE, Shop


async def test_an_order_is_shown_with_its_version(shop: Shop) -> None:
    """``ETag`` is the version to send as ``If-Match``."""
    order = await shop.placed()
    await shop.post(f"{order}/cancellation", {"reason": "too late"})

    answer = await shop.get(order)

    assert answer.headers["ETag"] == '"1"'
    assert answer.json()["status"] == "cancelled"
    assert answer.json()["total"] == "15.30 GBP"
    assert answer.json()["lines"] == [{**LINE, "description": None, "returned": 0}]


async def test_orders_are_found_by_customer_and_status(shop: Shop) -> None:
    """Both conditions hold for what is listed; lines are left out of lists."""
    mine, other = await shop.placed(customer_id="1"), await shop.placed(customer_id="2")
    cancelled = await shop.placed(customer_id="1")
    await shop.post(f"{cancelled}/cancellation", {"reason": "too late"})

    async def found(query: str) -> set[str]:
        listed = (await shop.get(f"/orders{query}")).json()["orders"]
        assert all("lines" not in order for order in listed)
        return {f"/orders/{order['order_id']}" for order in listed}

    assert await found("") == {mine, other, cancelled}
    assert await found("?customer_id=1") == {mine, cancelled}
    assert await found("?customer_id=1&status=placed") == {mine}
    assert await found("?customer_id=3") == set()


async def test_next_leads_through_all_pages(shop: Shop) -> None:
    """Following ``next`` shows every order once, by id, with the same conditions."""
    placed = {await shop.placed(customer_id="1") for _ in range(5)}
    await shop.placed(customer_id="2")

    seen, next = [], "/orders?customer_id=1&limit=2"
    while next:
        page = (await shop.get(next)).json()
        assert len(page["orders"]) <= 2
        seen += [order["order_id"] for order in page["orders"]]
        next = page["next"]

    assert [f"/orders/{id}" for id in seen] == sorted(placed)


async def test_a_history_tells_what_happened_and_who_did_it(shop: Shop) -> None:
    """All events, oldest first, with their metadata under the store's own names."""
    order = await shop.placed()
    await shop.post(f"{order}/cancellation", {"reason": "too late"})

    history = (await shop.get(f"{order}/history")).json()

    assert [(event["version"], event["type"]) for event in history["events"]] == [
        (0, "OrderPlaced"),
        (1, "OrderCancelled"),
    ]
    assert history["events"][1]["data"] == {"reason": "too late"}
    assert history["events"][1]["metadata"]["actor"] == "api"
    assert history["events"][0]["data"]["lines"][0]["unit_price"] == "2.55 GBP"


async def test_a_large_order_is_told_whole(shop: Shop) -> None:
    """Data that is too large for an event comes back as if it had been in it."""
    order = await shop.placed(lines=[LINE] * 1114)

    history = (await shop.get(f"{order}/history")).json()

    assert len(history["events"][0]["data"]["lines"]) == 1114
    assert (await shop.get(order)).json()["line_count"] == 1114


async def test_stock_is_counted(shop: Shop) -> None:
    """What came in is on hand and available; a SKU may hold spaces and slashes."""
    for sku in ("BANK%20CHARGES", "A%2FB/C"):
        await shop.post(f"/stock/{sku}/receipts", {"quantity": 5})
        await shop.post(f"/stock/{sku}/receipts", {"quantity": 2})

        answer = await shop.get(f"/stock/{sku}")

        assert answer.headers["ETag"] == '"1"'
        assert answer.json()["on_hand"] == answer.json()["available"] == 7
    assert answer.json()["sku"] == "A/B/C"


async def test_the_description_of_the_interface_is_served(shop: Shop) -> None:
    """Every path is described, with its problems as problems."""
    described = (await shop.get("/openapi.json")).json()

    assert {
        "/orders",
        "/orders/{order_id}",
        "/orders/{order_id}/history",
        "/orders/{order_id}/fulfilment",
        "/orders/{order_id}/cancellation",
        "/orders/{order_id}/returns",
        "/stock/{sku}",
        "/sales",
        "/customers",
        "/customers/{customer_id}",
        "/customers/{customer_id}/orders",
        "/products",
        "/products/{sku}",
        "/stock/{sku}/receipts",
        "/orders/{order_id}/dispatch",
        "/shipments/{order_id}/hand-over",
        "/orders/{order_id}/exchanges",
        "/exchanges/{exchange_id}",
        "/exchanges/{exchange_id}/goods",
        "/exchanges/{exchange_id}/dispatch",
        "/exchanges/{exchange_id}/hand-over",
        "/exchanges/{exchange_id}/cancellation",
        "/shipments/{order_id}/delivery",
        "/shipments/{order_id}/failure",
        "/warehouse/picks",
        "/carrier/notices",
        "/health/live",
        "/health/ready",
        "/metrics",
    } == set(described["paths"])
    refused = described["paths"]["/orders"]["post"]["responses"]["409"]
    assert list(refused["content"]) == ["application/problem+json"]
    referred = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(described)))
    assert referred <= set(described["components"]["schemas"])
    price = described["components"]["schemas"]["NewLine"]["properties"]["unit_price"]
    assert price["type"] == "string"
    assert (await shop.get("/docs")).status_code == 200
