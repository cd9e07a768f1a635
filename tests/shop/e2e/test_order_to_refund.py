"""One order's whole life through the doors of the running service: from placing to the refund."""

import json
from pathlib import Path
from typing import Any

import httpx

from infrastructure.settings import EventStore
from tests.shop.e2e.headwater import PATIENCE, Service, headwater, running, until
from tests.stores import on

TOKEN = "the-token-of-the-carrier"
ORDER = {"lines": [{"sku": "85123A", "quantity": 6, "unit_price": "2.55 GBP"}]}


class Client:
    """What customers, the warehouse and the carrier send."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def get(self, path: str) -> Any:
        answer = httpx.get(f"{self.service.url}{path}", timeout=PATIENCE)
        return answer.json() if answer.is_success else {}

    def post(self, path: str, body: Any = None, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.service.post(path, body, headers)
        assert answer.is_success, answer.text
        return answer.json()

    def until(self, path: str, **fields: object) -> None:
        """Wait until what is there has these fields."""
        until(lambda: fields.items() <= self.get(path).items(), self.service)


@on("eventstoredb")
def test_an_order_is_shipped_delivered_and_given_back(
    event_store: EventStore, tmp_path: Path
) -> None:
    """Goods, money and status are right at each step, over HTTP and the command line alike."""
    home = tmp_path / "home"
    with running(home, HEADWATER_EVENT_STORE=event_store, HEADWATER_CARRIER_TOKEN=TOKEN) as service:
        service.wait_for_welcome()
        shop = Client(service)
        shop.post("/stock/85123A/receipts", {"quantity": 10_000})
        until(lambda: shop.get("/stock/85123A").get("available", 0) >= 6, service)
        id = shop.post("/orders", ORDER)["id"]
        until(lambda: id in picked(shop), service)

        shown = headwater(home, "warehouse", "picks", "--json")
        assert id in {pick["order_id"] for pick in json.loads(shown.stdout)["picks"]}, shown.stderr
        sent = headwater(home, "warehouse", "dispatch", id)
        assert "OrderShipped" in sent.stdout, sent.stderr
        shop.until(f"/orders/{id}", status="shipped")
        assert id not in picked(shop)

        code = tracking_code(headwater(home, "warehouse", "hand-over", id), home, id)
        report = {"notice_id": "n-1", "shipment_id": id, "tracking_code": code}
        for _ in range(2):
            shop.post("/carrier/notices", {**report, "status": "delivered"}, TOKEN)
        shop.until(f"/orders/{id}", status="delivered")

        shop.post(f"/orders/{id}/returns", {"lines": [{"line": 1, "quantity": 2}]})
        until(lambda: "PaymentRefunded" in stream(home, f"payment-{id}"), service)
        shop.until(f"/orders/{id}", returned_total="5.10 GBP")
        audit = headwater(home, "audit")
        assert audit.returncode == 0, audit.stdout


def picked(shop: Client) -> set[str]:
    return {pick["order_id"] for pick in shop.get("/warehouse/picks").get("picks", [])}


def stream(home: Path, name: str) -> str:
    return headwater(home, "stream", name, "--json").stdout


def tracking_code(handed_over: Any, home: Path, id: str) -> str:
    assert "ShipmentHandedOver" in handed_over.stdout, handed_over.stderr
    for line in stream(home, f"shipment-{id}").splitlines():
        if "tracking_code" in line:
            return str(json.loads(line)["data"]["tracking_code"])
    raise AssertionError("the parcel has no tracking code")
