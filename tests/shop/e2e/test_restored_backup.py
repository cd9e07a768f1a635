"""An older backup of the event store is restored: the service says so, and the runbook mends it."""

import shutil
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from infrastructure.settings import EventStore
from tests.shop.e2e.cli import PATIENCE, Service, cli, running, until
from tests.stores import only_on

ORDER = {"lines": [{"sku": "85123A", "quantity": 6, "unit_price": "2.55 GBP"}]}


def placed(service: Service) -> tuple[str, dict[str, str]]:
    """The path of a new order, and the headers that a question sends to see it."""
    answer = service.post("/orders", ORDER)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"], {"Consistency-Token": answer.headers["Consistency-Token"]}


def get(service: Service, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(f"{service.url}{path}", headers=headers, timeout=PATIENCE)


def checks(service: Service) -> Any:
    return get(service, "/health/ready").json()["checks"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@only_on("eventstoredb")  # elsewhere one backup has events and read models
def test_read_models_that_are_ahead_of_the_log_are_deployed_anew(
    event_store: EventStore, home: Path
) -> None:
    """Not ready, and each build is named; no token is answered; deployed anew, it is right."""
    events, backup = home / "eventstoredb", home.with_name("backup")
    with running(home, HEADWATER_EVENT_STORE=event_store) as service:
        service.wait_for_welcome()
        kept, _ = placed(service)
        service.end(signal.SIGTERM)
    shutil.copytree(events, backup)
    with running(home) as service:
        service.wait_for_welcome()
        lost = [placed(service) for _ in range(5)]
        for path, token in lost:
            until(lambda path=path, token=token: get(service, path, token).is_success, service)  # type: ignore[misc]  # mypy knows no default in a lambda
        service.end(signal.SIGTERM)

    shutil.rmtree(events)
    shutil.copytree(backup, events)

    with running(home) as service:
        service.wait_for_welcome()
        until(lambda: "older backup" in checks(service).get("order_summary", ""), service)
        assert get(service, "/health/ready").status_code == 503
        path, token = placed(service)
        refused = get(service, path, token)
        assert refused.status_code == 503, "what is stale is not passed off as fresh"
        assert refused.json()["type"] == "urn:headwater:problem:not-of-this-log"

        deployed = cli(home, "projections", "deploy", "order_summary", "--accept-differences")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        until(lambda: checks(service)["order_summary"] == "ok", service)
        assert get(service, path, token).is_success
        assert get(service, kept).is_success
        assert [get(service, path).status_code for path, _ in lost] == [404] * 5
