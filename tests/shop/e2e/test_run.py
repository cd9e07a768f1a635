"""``headwater run`` from a newcomer's chair: start, try, stop, kill, start again."""

import csv
import gzip
import re
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from infrastructure.settings import EventStore
from infrastructure.shop.online_retail import SAMPLE
from tests.shop.e2e.curl import curl
from tests.shop.e2e.headwater import PATIENCE, Service, headwater, refusal, running, until


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
        assert "is running in" in refusal(headwater(home, "run"), 1)
        shown = headwater(home, "stream", f"order-{placed.removeprefix('/orders/')}")
        assert "OrderPlaced" in shown.stdout
        assert service.end(signal.SIGINT) == 0
        assert "Traceback" not in service.said

    with running(home) as service:
        service.wait_for_welcome()
        until(lambda: _order(service, placed).get("total") == "15.30 GBP", service)
        assert f"{orders_in_sample() + 1:,} orders of" in service.said
        until(lambda: tried(service)[1].is_success, service)
        assert tried(service)[1].headers["Location"] == placed, "the same key, the same order"
        assert service.end(signal.SIGTERM) == 0


def test_a_stop_during_the_start_is_a_clean_stop(tmp_path: Path) -> None:
    """Ctrl-C while the servers are starting ends everything, and the next start works."""
    home = tmp_path / "home"
    with running(home) as service:
        assert service.url
        assert service.end(signal.SIGINT) == 0
        assert "Traceback" not in service.said


def test_a_taken_port_is_named_with_the_setting_that_changes_it(tmp_path: Path) -> None:
    """One line, exit code 1, for the API as for the node."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for setting in ("HEADWATER_HTTP_PORT", "HEADWATER_EVENTSTOREDB_PORT"):
            ended = headwater(tmp_path / "home", "run", **{setting: port})
            line = refusal(ended, 1)
            assert port in line
            assert setting in line


def test_a_home_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file in the way, or a directory that cannot be made: one line, exit code 1."""
    (tmp_path / "file").write_text("in the way")
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        assert "HEADWATER_HOME" in refusal(headwater(home, "run"), 1)


NOWHERE = {
    "HEADWATER_EVENTSTOREDB_URI": "esdb://127.0.0.1:1",
    "HEADWATER_POSTGRES_URI": "postgresql://127.0.0.1:1",
    "HEADWATER_PAYMENT_PROVIDER_URI": "http://127.0.0.1:1/payments",
    "HEADWATER_CARRIER_URI": "http://127.0.0.1:1/parcels",
}


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    """One line that says which and why, exit code 2."""
    ended = headwater(tmp_path / "home", "run", HEADWATER_HTTP_PORT="http")

    assert refusal(ended, 2).startswith("headwater: HEADWATER_HTTP_PORT: 'http' cannot be used")


@pytest.mark.parametrize(
    ("names", "told"),
    [("order_summary", "not in one PostgreSQL"), ("sales", "there is no sales, but order_summary")],
)
@pytest.mark.parametrize("command", ["run", "serve"])
def test_a_read_model_cannot_be_inline_over_two_stores(
    tmp_path: Path, command: str, names: str, told: str
) -> None:
    """One line that says why and what to do instead, exit code 2, before anything is started."""
    ended = headwater(
        tmp_path / "home",
        command,
        HEADWATER_INLINE_PROJECTIONS=names,
        **(NOWHERE if command == "serve" else {}),
    )

    assert told in refusal(ended, 2)
    assert not (tmp_path / "home" / "postgres").exists()


@pytest.mark.parametrize(
    "missing", ["HEADWATER_EVENTSTOREDB_URI", "HEADWATER_PAYMENT_PROVIDER_URI"]
)
def test_serving_needs_servers(tmp_path: Path, missing: str) -> None:
    """``serve`` starts nothing embedded: it names what has to be set, and does not hang."""
    servers = {name: uri for name, uri in NOWHERE.items() if name != missing}
    ended = headwater(tmp_path / "home", "serve", **servers)
    assert missing in refusal(ended, 2)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nobody at the address: one line with the address and without the password, exit code 1."""
    uri = "esdb://admin:hush@127.0.0.1:1?tls=false"
    ended = headwater(tmp_path / "home", "stream", "order-1", HEADWATER_EVENTSTOREDB_URI=uri)

    assert "127.0.0.1:1" in refusal(ended, 1)
    assert "hush" not in ended.stderr


@pytest.mark.parametrize(
    "killed", ["embedded_eventstoredb", "bin/postgres -D", "providers.simulated"]
)
def test_a_server_that_dies_is_started_again(tmp_path: Path, killed: str) -> None:
    """Whichever embedded server is killed, orders are accepted, shown and fulfilled again."""
    with running(tmp_path / "home") as service:
        service.wait_for_welcome()
        until(lambda: _ready(service), service)
        dead = service.child(killed)
        assert dead is not None
        dead.kill()
        until(lambda: service.child(killed) not in (None, dead), service)
        until(lambda: _ready(service), service)
        until(lambda: tried(service)[1].status_code == 201, service)
        until(lambda: tried(service)[2].json().get("status") == "completed", service)
        assert service.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("signalled", [signal.SIGSTOP, signal.SIGKILL])
def test_a_stop_ends_everything_whatever_hangs(tmp_path: Path, signalled: signal.Signals) -> None:
    """Frozen or dead servers hold up no stop, and nothing is left: no process, no socket."""
    with running(tmp_path / "home") as service:
        service.wait_for_welcome()
        for child in service.process.children():
            child.send_signal(signalled)
        assert service.end(signal.SIGTERM) in (0, 1)
        assert not (tmp_path / "home" / "postgres" / "sockets").exists()


def _order(service: Service, path: str) -> dict[str, Any]:
    """What is answered there, be it that the read model does not know it yet."""
    answered: dict[str, Any] = httpx.get(f"{service.url}{path}", timeout=PATIENCE).json()
    return answered


def _ready(service: Service) -> bool:
    try:
        return httpx.get(f"{service.url}/health/ready", timeout=PATIENCE).is_success
    except httpx.HTTPError:
        return False
