"""One order's whole life through the doors of the running service: from placing to the refund."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.shop.e2e.cli import PATIENCE, Service, cli, running, until
from tests.stores import on_fastest_and_slowest

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


@on_fastest_and_slowest()
def test_an_order_is_shipped_delivered_and_given_back(
    stored: Mapping[str, str], tmp_path: Path
) -> None:
    """Goods, money and status are right at each step, over HTTP and the command line alike."""
    home = tmp_path / "home"
    with running(home, HEADWATER_CARRIER_TOKEN=TOKEN, **stored) as service:
        service.wait_for_welcome()
        shop = Client(service)
        shop.post("/stock/85123A/receipts", {"quantity": 10_000})
        until(lambda: shop.get("/stock/85123A").get("available", 0) >= 6, service)
        id = shop.post("/orders", ORDER)["id"]
        until(lambda: id in picked(shop), service)

        shown = cli(home, "warehouse", "picks", "--json")
        assert id in {pick["order_id"] for pick in json.loads(shown.stdout)["picks"]}, shown.stderr
        sent = cli(home, "warehouse", "dispatch", id)
        assert "OrderShipped" in sent.stdout, sent.stderr
        shop.until(f"/orders/{id}", status="shipped")
        assert id not in picked(shop)

        code = tracking_code(cli(home, "warehouse", "hand-over", id), home, id)
        report = {"notice_id": "n-1", "shipment_id": id, "tracking_code": code}
        for _ in range(2):
            shop.post("/carrier/notices", {**report, "status": "delivered"}, TOKEN)
        shop.until(f"/orders/{id}", status="delivered")

        shop.post(f"/orders/{id}/returns", {"lines": [{"line": 1, "quantity": 2}]})
        until(lambda: "PaymentRefunded" in stream(home, f"payment-{id}"), service)
        shop.until(f"/orders/{id}", returned_total="5.10 GBP")
        audit = cli(home, "audit")
        assert audit.returncode == 0, audit.stdout


def picked(shop: Client) -> set[str]:
    return {pick["order_id"] for pick in shop.get("/warehouse/picks").get("picks", [])}


def stream(home: Path, name: str) -> str:
    return cli(home, "stream", name, "--json").stdout


def tracking_code(handed_over: Any, home: Path, id: str) -> str:
    assert "ShipmentHandedOver" in handed_over.stdout, handed_over.stderr
    for line in stream(home, f"shipment-{id}").splitlines():
        if "tracking_code" in line:
            return str(json.loads(line)["data"]["tracking_code"])
    raise AssertionError("the parcel has no tracking code")
