"""Every runbook, drilled with the very commands that stand in it, on one running service."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg  # only: postgres
import pytest

from application.messages import Context
from application.shop.read_models.order_summary import order_summary
from application.shop.service import SHOP
from domain.orders import LinesReturned, ReturnedLine
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment
from infrastructure.settings import EventStore, Settings
from infrastructure.shop.program import PROGRAM
from tests.projection_specification import at
from tests.shop.e2e.cli import COMMAND, PATIENCE, Service, cli, refusal, running, until
from tests.stores import on_another_store, on_one_store

NEXT_RELEASE = (sys.executable, "-m", "tests.shop.e2e.next_release")
LIVE, NEXT = (f"order_summary_v{order_summary.version + later}" for later in (0, 1))


@pytest.fixture(scope="module")
def service(event_store: EventStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all drills, with the sample in it."""
    home = tmp_path_factory.mktemp("runbooks") / "home"
    with running(home, HEADWATER_EVENT_STORE=event_store) as service:
        service.wait_for_welcome()
        yield service


def done(service: Service, *arguments: str) -> str:
    """What a command said that did its work."""
    ended = cli(service.home, "projections", *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def refused(service: Service, code: int, *arguments: str) -> str:
    return refusal(cli(service.home, "projections", *arguments), code)


def listed(service: Service, build: str) -> dict[str, Any]:
    """What ``list --json`` says of a build."""
    (found,) = [of for of in json.loads(done(service, "list", "--json")) if of["build"] == build]
    return dict(found)


def until_listed(service: Service, build: str, **expected: object) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while True:
        found = listed(service, build)
        if expected.items() <= found.items():
            return found
        assert time.monotonic() < deadline, found


def until_ready(service: Service) -> None:
    """A build that was swapped in is ready as soon as the service has looked at it."""
    ready = f"{service.url}/health/ready"
    until(lambda: httpx.get(ready, timeout=PATIENCE).status_code == 200, service)


def orders(service: Service) -> list[dict[str, Any]]:
    answer = httpx.get(f"{service.url}/orders?limit=500", timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["orders"])


# only: postgres
def announced(service: Service, name: str) -> str:
    return str(json.loads((service.home / "running.json").read_text())[name])


# end: postgres
def poisoned(service: Service, order_id: str) -> UUID:
    """Record a return of a line that the order does not have: only ``order_summary`` looks."""
    back = LinesReturned(return_id="r-99", lines=(ReturnedLine(line=99, quantity=1),))
    event = SHOP.catalogue.new_event(back, uuid4(), Context.start("a drill", uuid4(), at(0)))

    async def append() -> None:
        async with opened_for(
            Deployment(PROGRAM, Settings(home=service.home)), EVENTS
        ) as container:
            store, stream = container.event_store(), f"order-{order_id}"
            version = [past.version async for past in store.read(stream)][-1]
            await store.append(stream, [event], version)

    asyncio.run(append())
    return event.id


@on_one_store()
def test_stuck_projection(service: Service) -> None:
    """The list says who fills what; what somebody paused tells who and why, and is resumed."""
    found = until_listed(service, "stock_levels_v1", status="live", lag_seconds=0)
    filling = service.child("part projections")
    assert filling is not None
    assert str(filling.pid) in found["filled_by"][0]

    done(service, "pause", "stock_levels", "--reason", "disk is full", "--by", "ann")
    until_listed(service, "stock_levels_v1", status="paused", filled_by=[])
    assert "stock_levels_v1 is paused by ann: disk is full" in done(service, "list")
    assert "disk is full" in done(service, "actions", "stock_levels")
    done(service, "resume", "stock_levels")
    until_listed(service, "stock_levels_v1", status="live", paused=None)

    assert "stock_levels is not paused" in refused(service, 1, "resume", "stock_levels")
    assert "there are customer_orders, daily" in refused(service, 2, "pause", "x", "--reason", "y")


@on_another_store()
def test_lag_that_grows(service: Service) -> None:
    """Another process offers to fill a read model, and gives up cleanly."""
    filler = subprocess.Popen(
        [*COMMAND, "projections", "run", "order_summary"],
        env={**os.environ, "HEADWATER_HOME": str(service.home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert filler.stdout
    assert filler.stdout.readline().startswith("Filling order_summary as ")
    filler.send_signal(signal.SIGTERM)
    assert filler.wait(PATIENCE) == 0


@on_another_store()
def test_deploy_and_rollback(service: Service) -> None:
    """A next release shows other views: told, refused, accepted, rolled back at once, dropped."""

    def next_release(*arguments: str) -> subprocess.CompletedProcess[str]:
        return cli(service.home, "projections", *arguments, command=NEXT_RELEASE)

    before = orders(service)
    build = refusal_of_differences(next_release("deploy", "order_summary"))
    assert build == NEXT
    assert orders(service) == before
    ended = next_release("deploy", "order_summary", "--accept-differences", "--reason", "r2")
    assert ended.returncode == 0, ended.stderr
    assert f"{NEXT} answers queries" in ended.stdout
    assert orders(service) == before, "a process of the last release goes on with what it knows"
    until_ready(service)
    shown = cli(service.home, "orders", before[0]["order_id"], "--json", command=NEXT_RELEASE)
    assert json.loads(shown.stdout)["country"] == before[0]["country"].upper()

    assert "drop" in refused(service, 1, "deploy", "order_summary")
    assert "up to date" in done(service, "rollback", "order_summary", "--reason", "capitals")
    assert orders(service) == before
    assert f"{NEXT} is deleted" in done(service, "drop", "order_summary")


def refusal_of_differences(ended: subprocess.CompletedProcess[str]) -> str:
    """The build that was not swapped in."""
    line = refusal(ended, 1)
    assert "country was United Kingdom, is UNITED KINGDOM" in ended.stdout
    assert "Fields that are new, so not compared: returned_something" in ended.stdout
    found = re.search(r"headwater: (\w+) differs from the live build, so nothing", line)
    assert found, line
    return found[1]


# only: postgres
@on_another_store()
@pytest.mark.parametrize("moment", ["begun", "filled"])
def test_a_deploy_that_is_killed_is_run_again(service: Service, moment: str) -> None:
    """Killed without warning, the live build is as it was; run again, the deploy is done."""
    table = "projection_builds" if moment == "begun" else "projection_checkpoints"
    live = [of for of in json.loads(done(service, "list", "--json")) if of["role"] == "live"]
    name = "product_search" if moment == "begun" else "daily_sales"
    (before,) = [of["build"] for of in live if of["name"] == name]
    uri = announced(service, "postgres_uri")
    with psycopg.connect(uri) as keeper, psycopg.connect(uri, autocommit=True) as connection:
        keep = "SELECT FROM projection_builds WHERE build = %s FOR NO KEY UPDATE"
        keeper.execute(keep, [before])  # nobody swaps it out: the deploy does not come to its end
        process = subprocess.Popen(
            [*COMMAND, "projections", "deploy", name],
            env={**os.environ, "HEADWATER_HOME": str(service.home)},
        )
        deadline = time.monotonic() + PATIENCE
        like = f"SELECT 1 FROM {table} WHERE build LIKE %s AND build <> %s"
        while not connection.execute(like, [f"{name}%", before]).fetchone():
            assert time.monotonic() < deadline
            assert process.poll() is None, "it had ended before it was killed"
        process.kill()
        process.wait()
    assert listed(service, before)["role"] == "live"

    assert "views are equal" in done(service, "deploy", name)
    assert listed(service, before)["role"] == "previous"
    done(service, "drop", name)


# end: postgres
def test_poison_event(service: Service) -> None:
    """It stops one read model alone; retried in vain, it is skipped for a reason, and goes on.

    The event stays in the store, so this drill comes after those that rebuild ``order_summary``.
    """
    order = orders(service)[0]["order_id"]
    event = poisoned(service, order)
    failed = until_listed(service, LIVE, status="failed")["failure"]
    assert (failed["event_id"], failed["event"][:13]) == (str(event), "LinesReturned")
    shown = done(service, "list")
    assert f"position {failed['position']}" in shown
    assert "error  IndexError" in shown
    assert until_listed(service, "customer_orders_v2", status="live", lag_events=0)
    assert httpx.get(f"{service.url}/health/ready", timeout=PATIENCE).status_code == 503

    done(service, "retry", "order_summary")
    until_listed(service, LIVE, status="failed")
    assert "has not stopped at the event" in refused(
        service, 1, "skip", "order_summary", str(uuid4()), "--reason", "a guess"
    )
    done(service, "skip", "order_summary", str(event), "--reason", "line 99 is a typing error")
    until_listed(service, LIVE, status="live", failure=None, lag_events=0)
    assert "line 99 is a typing error" in done(service, "actions", "order_summary")

    assert f"{event}" in refused(service, 1, "deploy", "order_summary")  # it takes every event
    done(service, "skip", "order_summary", str(event), "--reason", "as before")
    done(service, "deploy", "order_summary")
    done(service, "drop", LIVE)
    until_ready(service)


@on_one_store()
def test_questions_are_answered_page_by_page(service: Service) -> None:
    """Each read model is asked by a command, as a table and as JSON that leads to the next page."""

    def page(*arguments: str) -> dict[str, Any]:
        ended = cli(service.home, *arguments, "--limit", "2", "--json")
        assert ended.returncode == 0, ended.stderr
        return dict(json.loads(ended.stdout))

    for name in ("orders", "sales", "customers", "products"):
        first = page(name)
        second = page(name, "--after", first["after"])
        assert len(first[name] + second[name]) == 4
        assert first[name][0] not in second[name]
    shown = cli(service.home, "products", "hang", "heart", "--limit", "1")
    assert "WHITE HANGING HEART T-LIGHT HOLDER" in shown.stdout
    assert "1 of at least 2 products, up to date; the next page: --after" in shown.stdout
    one = cli(service.home, "orders", page("orders")["orders"][0]["order_id"])
    assert "unit price" in one.stdout
    assert "use one of placed, conf" in refusal(cli(service.home, "orders", "--status", "x"), 2)
    assert "customer 0" in refusal(cli(service.home, "customers", "0"), 1)


def test_without_a_service_it_says_what_to_start(tmp_path: Path) -> None:
    """One line, exit code 1, and no directory is made."""
    told = refusal(cli(tmp_path / "home", "projections", "list"), 1)
    assert "`run`" in told
    assert not (tmp_path / "home").exists()
