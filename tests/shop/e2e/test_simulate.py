"""``headwater simulate`` and ``headwater audit`` as a person uses them."""

import json
import signal
import subprocess
from collections.abc import Mapping  # only: dynamodb_events
from pathlib import Path

import httpx
import pytest  # only: temporal

from infrastructure.dynamodb.tables import EVENT_TABLES  # only: dynamodb_events
from infrastructure.settings import EventStore
from infrastructure.shop.providers import CARRIER
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests.dynamodb.opened import tables_of  # only: dynamodb_events
from tests.shop.e2e.cli import COMMAND, PATIENCE, cli, refusal
from tests.stores import only_on  # only: dynamodb_events


def test_a_real_history_under_faults_adds_up(event_store: EventStore, tmp_path: Path) -> None:
    """Every order comes to its end and it adds up, until a provider's records are spoilt."""
    home = tmp_path / "home"
    trouble = ("--fault-rate", "0.1", "--shortage", "0.1", "--seed", "1")
    options = ("--orders", "40", "--exchanges", "0.8", *trouble)
    kept = ("--data-dir", str(home), "--json")
    ended = cli(tmp_path, "simulate", *options, *kept, HEADWATER_EVENT_STORE=event_store)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    tally, verdict = told["tally"], told["audit"]
    assert (tally["placed"], tally["running"], tally["failed"], told["short"]) == (40, 0, 0, 4)
    assert tally["completed"] + tally["compensated"] == 40
    assert tally["compensated"] >= 4
    assert sum(told["struck"].values()) > 0
    assert (verdict["adds_up"], verdict["under_way"]) == (True, [])
    assert verdict["summary"]["units"]["reserved"] == 0
    assert verdict["summary"]["exchanges"]["completed"] > 0

    later = cli(home, "audit")
    assert later.returncode == 0, later.stdout + later.stderr
    assert "It adds up" in later.stdout

    _book_behind_our_back(home)
    broken = cli(home, "audit", "--json")
    assert broken.returncode == 1
    (finding,) = json.loads(broken.stdout)["findings"]
    assert (finding["finding"], finding["order_id"]) == ("ParcelWithoutOrder", "nobody")


# only: temporal
@pytest.mark.usefixtures("temporal")  # is it installed?
def test_a_simulation_on_temporal_adds_up(tmp_path: Path) -> None:
    """Temporal is started with the other servers, and the audit finds nothing."""
    trouble = ("--fault-rate", "0.1", "--shortage", "0.1", "--seed", "1")
    ended = cli(
        tmp_path, "simulate", "--orders", "12", *trouble, "--json", HEADWATER_SAGA_ENGINE="temporal"
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    tally, verdict = told["tally"], told["audit"]
    assert (tally["placed"], tally["running"], tally["failed"]) == (12, 0, 0)
    assert (verdict["adds_up"], verdict["under_way"]) == (True, [])


# end: temporal
# only: dynamodb_events
@only_on("dynamodb")  # whose tables are outside of the home
def test_a_simulation_in_dynamodb_leaves_nothing(stored: Mapping[str, str], tmp_path: Path) -> None:
    """It adds up under faults, in tables of its own; those of the settings stay as they were."""
    trouble = ("--fault-rate", "0.1", "--shortage", "0.1", "--seed", "1")
    ended = cli(tmp_path, "simulate", "--orders", "25", *trouble, "--json", **stored)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    assert (told["tally"]["placed"], told["tally"]["running"]) == (25, 0)
    assert sum(told["struck"].values()) > 0
    assert told["audit"]["adds_up"]
    assert len(tables_of(stored)) == len(EVENT_TABLES)
    kept = cli(tmp_path, "simulate", "--data-dir", str(tmp_path / "kept"), **stored)
    assert "leave it out" in refusal(kept, 2)


# end: dynamodb_events
def _book_behind_our_back(home: Path) -> None:
    with SimulatedProviders(home / "providers" / "books.sqlite3") as outside:
        httpx.put(
            f"{outside.uri}/faults", json={}, trust_env=False, timeout=PATIENCE
        ).raise_for_status()
        httpx.post(
            f"{outside.uri_of(CARRIER.name)}/book",
            json={"order_id": "nobody", "country": None, "parcels": 1},
            headers={"Idempotency-Key": "k"},
            trust_env=False,
            timeout=PATIENCE,
        ).raise_for_status()


def test_stopped_it_says_what_stands(tmp_path: Path) -> None:
    """After Ctrl-C nobody else is let in, what is under way comes to its end, and it adds up."""
    process = subprocess.Popen(
        [*COMMAND, "simulate", "--speed", "1", "--fault-rate", "0", "--shortage", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # its Ctrl-C is not ours
    )
    with process:
        assert process.stdout is not None  # it was started with a pipe
        try:
            told = iter(process.stdout.readline, "")  # once it has come so far, it can be closed
            first = next(line for line in told if not line.startswith("placed 0,"))
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()

    assert first.startswith("placed 1,")
    assert process.returncode == 0
    assert "No more orders are accepted" in rest
    assert "It adds up" in rest


def test_there_is_nothing_to_audit_before_anything_has_run(tmp_path: Path) -> None:
    """One line says what to do, and nothing is started."""
    assert "start `run` first" in refusal(cli(tmp_path / "home", "audit"), 1)
    assert not (tmp_path / "home").exists()


def test_a_speed_is_a_number(tmp_path: Path) -> None:
    """Anything else is a fault of the caller."""
    ended = cli(tmp_path, "simulate", "--speed", "fast")

    assert ended.returncode == 2
    assert "is not a speed" in ended.stderr
