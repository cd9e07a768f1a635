"""``headwater run`` from a newcomer's chair: start, try, stop, kill, start again."""

import csv
import gzip
import re
import signal
from pathlib import Path

import httpx

from infrastructure.settings import EventStore
from infrastructure.shop.online_retail import SAMPLE
from tests.shop.e2e.cli import PATIENCE, Service, cli, refusal, running, until
from tests.shop.e2e.curl import curl


def orders_in_sample() -> int:
    with gzip.open(SAMPLE, "rt") as file:
        rows = csv.DictReader(file)
        plain = {row["InvoiceNo"] for row in rows if int(row["Quantity"]) > 0}
    return sum(number.isdigit() for number in plain)


def tried(service: Service) -> list[httpx.Response]:
    """The answers to the curl lines that it printed, one after the other."""
    return [curl(line) for line in re.findall(r"^  (curl .*)$", service.said, re.M)]


def test_a_service_that_was_killed_at_its_first_start_starts_again_with_everything(
    event_store: EventStore, tmp_path: Path
) -> None:
    """Killed in the midst of the sample, stopped, and started again: nothing is lost or doubled."""
    home = tmp_path / "home"
    with running(home, HEADWATER_EVENT_STORE=event_store) as service:
        assert service.url  # it is up, and the sample is on its way
        service.end(signal.SIGKILL)

    with running(home) as service:
        service.wait_for_welcome()
        assert f"{orders_in_sample():,} orders of" in service.said
        until(lambda: [of.status_code for of in tried(service)] == [201, 201, 200], service)
        answers = tried(service)
        placed, ready = answers[1].headers["Location"], f"{service.url}/health/ready"
        until(lambda: tried(service)[2].json()["status"] == "completed", service)
        until(lambda: httpx.get(ready, timeout=PATIENCE).json()["status"] == "ready", service)
        assert "is running in" in refusal(cli(home, "run"), 1)
        shown = cli(home, "stream", f"order-{placed.removeprefix('/orders/')}")
        assert "OrderPlaced" in shown.stdout
        assert service.end(signal.SIGINT) == 0
        assert "Traceback" not in service.said

    with running(home) as service:
        service.wait_for_welcome()
        until(lambda: service.get(placed).get("total") == "15.30 GBP", service)
        assert f"{orders_in_sample() + 1:,} orders of" in service.said
        until(lambda: tried(service)[1].is_success, service)
        assert tried(service)[1].headers["Location"] == placed, "the same key, the same order"
        assert service.end(signal.SIGTERM) == 0


NOWHERE = {
    "HEADWATER_EVENTSTOREDB_URI": "esdb://127.0.0.1:1",  # only: eventstoredb
    "HEADWATER_POSTGRES_URI": "postgresql://127.0.0.1:1",  # only: postgres
    "HEADWATER_PAYMENT_PROVIDER_URI": "http://127.0.0.1:1/payments",
    "HEADWATER_CARRIER_URI": "http://127.0.0.1:1/parcels",
}


def test_serving_needs_providers(tmp_path: Path) -> None:
    """``serve`` simulates nothing: it names what has to be set, and does not hang."""
    missing = "HEADWATER_PAYMENT_PROVIDER_URI"
    servers = {name: uri for name, uri in NOWHERE.items() if name != missing}
    ended = cli(tmp_path / "home", "serve", **servers)
    assert missing in refusal(ended, 2)


def test_providers_that_die_are_started_again(tmp_path: Path) -> None:
    """The simulated providers are killed: orders are accepted, shown and fulfilled again."""
    with running(tmp_path / "home") as service:
        service.wait_for_welcome()
        until(lambda: service.is_ready, service)
        dead = service.child("providers.simulated")
        assert dead is not None
        dead.kill()
        until(lambda: service.child("providers.simulated") not in (None, dead), service)
        until(lambda: service.is_ready, service)
        until(lambda: tried(service)[1].status_code == 201, service)
        until(lambda: tried(service)[2].json().get("status") == "completed", service)
        assert service.end(signal.SIGTERM) == 0
