"""The service on a real broker: what it publishes reaches the carrier, whose reports reach it."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from application.shop.service import SHOP
from tests.kafka_topics import create
from tests.shop.e2e.cli import PATIENCE, Service, cli, running, until
from tests.stores import USUAL

ORDERS = 4
TRACED = {"X-Correlation-Id": "the-hand-over"}
LINE = {"sku": "85123A", "quantity": 1, "unit_price": "2.55 GBP"}


def test_orders_are_delivered_by_the_carriers_events(kafka: str, tmp_path: Path) -> None:
    """Each once, though the process that receives is killed in the middle.

    The correlation id of a hand-over goes through Kafka twice, and comes back.
    """
    home, prefix = tmp_path / "home", f"t{uuid4()}."
    settings = {
        "HEADWATER_BUS": "kafka",
        "HEADWATER_KAFKA_BOOTSTRAP_SERVERS": kafka,
        "HEADWATER_KAFKA_PREFIX": prefix,
        "HEADWATER_EVENT_STORE": USUAL[-1],
    }
    topics = [*SHOP.contract.topics, f"{SHOP.name}-forwarder"]
    create(kafka, *(f"{prefix}{topic}" for topic in topics))
    with running(home, **settings) as service:
        service.wait_for_welcome()
        service.post("/stock/85123A/receipts", {"quantity": 10_000})
        ids = [ordered(service) for _ in range(ORDERS)]
        for id in ids:
            until(lambda id=id: status(service, id) == "confirmed", service)  # type: ignore[misc]
        with ThreadPoolExecutor(4) as at_once:
            [*at_once.map(lambda id: handed_over(service, id), ids)]
        until(lambda: any(status(service, id) == "delivered" for id in ids), service)
        killed = service.child("part sagas")
        assert killed is not None
        killed.kill()
        psutil.wait_procs([killed], timeout=PATIENCE)
        for id in ids:
            until(lambda id=id: status(service, id) == "delivered", service)  # type: ignore[misc]
        arrived = [last(cli(home, "stream", f"shipment-{id}", "--json")) for id in ids]
        orders = [cli(home, "stream", f"order-{id}", "--json").stdout for id in ids[:1]]
        assert service.end(signal.SIGTERM) == 0, service.said

    assert {one["type"] for one in arrived} == {"ShipmentDelivered"}
    assert {one["version"] for one in arrived} == {2}  # booked, handed over, delivered once
    assert {one["metadata"]["$correlationId"] for one in arrived} == {"the-hand-over"}
    assert all(order.count("OrderDelivered") == 1 for order in orders)


def ordered(service: Service) -> str:
    return str(service.post("/orders", {"lines": [LINE]}).json()["id"])


def handed_over(service: Service, id: str) -> None:
    answer = service.post(f"/shipments/{id}/hand-over", {}, TRACED)
    assert answer.is_success, answer.text


def status(service: Service, id: str) -> Any:
    return service.get(f"/orders/{id}").get("status")


def last(stream: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stream.stdout.splitlines()[-1])
    return found
