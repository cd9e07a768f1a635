"""Order fulfilment in real processes that are killed: nothing is lost, or done twice."""

import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from infrastructure.settings import EventStore
from tests.shop.e2e.headwater import PATIENCE, Service, headwater, running, until

ORDERS = 30
GOODS = 50  # for 25 of them


def test_killed_in_the_midst_of_fulfilling(event_store: EventStore, tmp_path: Path) -> None:
    """Killed twice while orders are fulfilled, servers and all: all end, and it adds up."""
    home = tmp_path / "home"
    for round in range(2):
        with running(home, HEADWATER_EVENT_STORE=event_store) as service:
            service.wait_for_welcome()
            _receive(service, round)
            placed = _place(service, round)
            until(lambda: _ended(service, placed) > 0, service)  # noqa: B023  # used at once
            service.end(signal.SIGKILL)

    with running(home) as service:
        service.wait_for_welcome()
        placed = _place(service, 0) + _place(service, 1)  # the same requests, the same orders
        assert len(set(placed)) == 2 * ORDERS
        until(lambda: _ended(service, placed) == len(placed), service)
        assert _count(service, placed, "completed") == 2 * GOODS // 2
        audit = headwater(home, "audit")
        assert audit.returncode == 0, audit.stdout + audit.stderr


def _receive(service: Service, round: int) -> None:
    _post(service, f"/stock/sku-{round}/receipts", "goods", {"quantity": GOODS})


def _place(service: Service, round: int) -> list[str]:
    """Orders of two pieces each; their ids."""
    line = {"sku": f"sku-{round}", "quantity": 2, "unit_price": "2.55 GBP"}

    def one(number: int) -> str:
        return _post(service, "/orders", f"{round}-{number}", {"lines": [line]})

    with ThreadPoolExecutor(8) as customers:
        return list(customers.map(one, range(ORDERS)))


def _post(service: Service, path: str, key: str, body: object) -> str:
    answer = service.post(path, body, {"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _ended(service: Service, orders: Sequence[str]) -> int:
    return _count(service, orders, "completed") + _count(service, orders, "compensated")


def _count(service: Service, orders: Sequence[str], status: str) -> int:
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        answers = [client.get(f"{service.url}/orders/{id}/fulfilment") for id in orders]
    return sum(answer.json().get("status") == status for answer in answers)
