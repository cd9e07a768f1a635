"""Order fulfilment in real processes that are killed: nothing is lost, or done twice."""

import signal
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil  # only: temporal
import pytest  # only: temporal

from infrastructure.settings import EventStore
from tests.shop.e2e.cli import PATIENCE, Service, cli, running, until

ORDERS = 30
GOODS = 50  # for 25 of them


def test_killed_in_the_midst_of_fulfilling(event_store: EventStore, tmp_path: Path) -> None:
    """Killed twice while orders are fulfilled, servers and all: all end, and it adds up."""
    _killed(tmp_path / "home", times=2, HEADWATER_EVENT_STORE=event_store)


# only: temporal
@pytest.mark.usefixtures("temporal")  # is it installed?
def test_killed_in_the_midst_of_fulfilling_on_temporal(tmp_path: Path) -> None:
    """The same with a Temporal that is killed too, and with a worker that is killed alone."""
    _killed(tmp_path / "home", times=1, HEADWATER_SAGA_ENGINE="temporal")


# end: temporal
def _killed(home: Path, times: int, **settings: str) -> None:
    for round in range(times):
        with running(home, **settings) as service:
            service.wait_for_welcome()
            _receive(service, round)
            _place(service, round, range(ORDERS // 2))
            if "HEADWATER_SAGA_ENGINE" in settings:  # only: temporal
                _kill_the_worker(service)  # only: temporal
            late = _place(service, round, range(ORDERS // 2, ORDERS))
            until(lambda: _ended(service, late) > 0, service)  # noqa: B023  # used at once
            service.end(signal.SIGKILL)

    with running(home, **_kept(settings)) as service:
        service.wait_for_welcome()
        placed = [id for round in range(times) for id in _place(service, round)]  # as before
        assert len(set(placed)) == times * ORDERS
        until(lambda: _ended(service, placed) == len(placed), service)
        assert _count(service, placed, "completed") == times * GOODS // 2
        audit = cli(home, "audit")
        assert audit.returncode == 0, audit.stdout + audit.stderr


# only: temporal
def _kill_the_worker(service: Service) -> None:
    """What is placed from now on can only be ended by the next one."""
    worker = service.child("part sagas")
    assert worker is not None
    worker.kill()
    psutil.wait_procs([worker], timeout=PATIENCE)


# end: temporal
def _kept(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Without what the home says."""
    return {name: value for name, value in settings.items() if name != "HEADWATER_EVENT_STORE"}


def _receive(service: Service, round: int) -> None:
    _post(service, f"/stock/sku-{round}/receipts", "goods", {"quantity": GOODS})


def _place(service: Service, round: int, numbers: Iterable[int] = range(ORDERS)) -> list[str]:
    """Orders of two pieces each; their ids, the same for the same numbers."""
    line = {"sku": f"sku-{round}", "quantity": 2, "unit_price": "2.55 GBP"}

    def one(number: int) -> str:
        return _post(service, "/orders", f"{round}-{number}", {"lines": [line]})

    with ThreadPoolExecutor(8) as customers:
        return list(customers.map(one, numbers))


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
