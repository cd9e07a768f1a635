"""Exchanges over HTTP: from the request to the replacement's parcel, with the sagas at work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from application.shop.auditing import audit
from domain.stock import ReceiveStock
from infrastructure.processes.service import reacting
from tests.infrastructure.test_http_problems import problem
from tests.shop.infrastructure.shop import LINE, Shop
from tests.waiting import until_true

OTHER = {"sku": "71053", "quantity": 2, "unit_price": "3.39 GBP"}
REQUEST = {"lines": [{"line": 1, "quantity": 2}], "replacements": [OTHER]}


@asynccontextmanager
async def delivered(shop: Shop) -> AsyncIterator[str]:
    """The path of an order that has arrived, in a shop whose sagas are at work."""
    for line in (LINE, OTHER):
        await shop.dispatch(str(line["sku"]), ReceiveStock(receipt_id="opening", quantity=100))
    async with reacting(shop.container):
        order = await shop.placed()
        id = order.removeprefix("/orders/")
        await comes_to(shop, order, "confirmed")
        assert (await shop.post(f"/shipments/{id}/hand-over", {})).status_code == 200
        assert (await shop.post(f"/shipments/{id}/delivery", {})).status_code == 200
        await comes_to(shop, order, "delivered")
        yield order


async def comes_to(shop: Shop, path: str, status: str) -> dict[str, Any]:
    """What is shown there, once it has that status."""
    shown: dict[str, Any] = {}

    async def there() -> bool:
        answer = await shop.get(path)
        shown.update(answer.json())
        return answer.status_code == 200 and shown["status"] == status

    await until_true(there)
    return shown


async def waits_for(shop: Shop, path: str, event: str) -> None:
    """Until the exchange waits for that event."""

    async def there() -> bool:
        progress = (await shop.get(path)).json().get("progress")
        return progress is not None and progress["waits_for"] == event

    await until_true(there)


async def test_an_exchange_from_request_to_parcel(shop: Shop) -> None:
    """Requested, the goods come, the replacement leaves, the difference is charged."""
    async with delivered(shop) as order:
        asked = await shop.post(f"{order}/exchanges", REQUEST, {"Idempotency-Key": "a"})
        again = await shop.post(f"{order}/exchanges", REQUEST, {"Idempotency-Key": "a"})
        assert (asked.status_code, asked.json()["events"]) == (201, ["ExchangeRequested"])
        path = asked.headers["Location"]
        assert again.headers["Location"] == path

        await waits_for(shop, path, "GoodsReceived")
        assert (await shop.post(f"{path}/goods")).json()["events"] == ["GoodsReceived"]
        await waits_for(shop, path, "ReplacementSent")
        handed_over = await shop.post(f"{path}/hand-over", {})
        assert handed_over.json()["events"] == ["ShipmentHandedOver"]
        shown = await comes_to(shop, path, "completed")
        listed = (await shop.get(f"{order}/exchanges")).json()["exchanges"]

        id = path.removeprefix("/exchanges/")
        assert (shown["difference"], shown["order_id"]) == ("1.68 GBP", order.split("/")[-1])
        assert [one["exchange_id"] for one in listed] == [id]
        assert (await shop.post(f"/shipments/{id}/delivery", {})).json()["events"] == [
            "ShipmentDelivered"
        ]
        assert (await comes_to(shop, f"{order}/fulfilment", "completed"))["saga_id"] != id

    container = shop.container
    records = container.outside().audit
    verdict = await audit(container.subscriptions(), container.payloads(), records)
    assert (verdict.findings, verdict.under_way) == ((), ())
    assert verdict.summary.exchanges["completed"] == 1


async def test_an_exchange_that_is_cancelled(shop: Shop) -> None:
    """Before the replacement leaves; afterwards it is refused."""
    async with delivered(shop) as order:
        path = (await shop.post(f"{order}/exchanges", REQUEST)).headers["Location"]
        await waits_for(shop, path, "GoodsReceived")
        cancelled = await shop.post(f"{path}/cancellation", {"reason": "keeps them"})
        assert cancelled.json()["events"] == ["ExchangeClosed"]
        shown = await comes_to(shop, path, "closed")
        late = problem(await shop.post(f"{path}/goods"), 409)

    assert shown["reason"] == "keeps them"
    assert late["type"] == "urn:headwater:problem:exchange-is-closed"


@pytest.mark.parametrize(
    ("body", "type"),
    [
        ({"lines": [{"line": 9, "quantity": 1}]}, "no-such-line"),
        ({"lines": [{"line": 1, "quantity": 7}]}, "more-than-ordered"),
        ({"replacements": [{**OTHER, "unit_price": "3 EUR"}]}, "other-currency"),
        ({"replacements": [{**OTHER, "unit_price": "3.0001 GBP"}]}, "cannot-be-paid"),
    ],
)
async def test_a_request_that_cannot_be_met_is_refused_at_once(
    shop: Shop, body: dict[str, Any], type: str
) -> None:
    """Nothing is recorded, and the problem names what is wrong."""
    order = await shop.shipped()
    refused = await shop.post(f"{order}/exchanges", {**REQUEST, **body})

    assert problem(refused, 409)["type"] == f"urn:headwater:problem:{type}"
    assert (await shop.get(f"{order}/exchanges")).json()["exchanges"] == []


async def test_what_does_not_exist_is_not_found(shop: Shop) -> None:
    """No order, no exchange."""
    problem(await shop.post("/orders/nobody/exchanges", REQUEST), 404)
    problem(await shop.post("/exchanges/nobody/goods"), 404)
    problem(await shop.get("/exchanges/nobody"), 404)
    placed = await shop.placed()
    early = problem(await shop.post(f"{placed}/exchanges", REQUEST), 409)
    assert early["type"] == "urn:headwater:problem:not-shipped"
