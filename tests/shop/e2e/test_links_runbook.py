"""The runbook *events that reach no consumer group*, drilled on one running service."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from tests.shop.e2e.cli import PATIENCE, cli, running, until
from tests.shop.e2e.test_order_to_refund import Client, picked
from tests.shop.e2e.test_saga_runbooks import commands_of

REPAIR = "links repair"
ORDER = {"lines": [{"sku": "85123A", "quantity": 1, "unit_price": "2.55 GBP"}]}


class Shop(Client):
    """A running service, its customers, and its operator."""

    def place(self) -> str:
        """The id of an order that was accepted."""
        return str(self.post("/orders", ORDER)["id"])

    def fulfils(self, id: str) -> None:
        """Wait until the warehouse is to pick it."""
        until(lambda: id in picked(self), self.service)

    def readiness(self) -> tuple[int, str]:
        """Of the process that runs the sagas."""
        answer = httpx.get(f"{self.service.url_of('sagas')}/health/ready", timeout=PATIENCE)
        return answer.status_code, answer.text

    def is_ready(self) -> bool:
        return self.readiness()[0] == 200

    def repair(self) -> str:
        """What the command of the runbook says."""
        ended = cli(self.service.home, *REPAIR.split())
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def history(self, id: str) -> list[str]:
        """All that has happened to an order, its payment and its parcel."""
        streams = (f"order-{id}", f"payment-{id}", f"shipment-{id}")
        shown = [cli(self.service.home, "stream", name, "--json") for name in streams]
        return [ended.stdout for ended in shown]

    def alerted(self) -> bool:
        """Whether the alert of the runbook fires."""
        told = httpx.get(f"{self.service.url_of('sagas')}/metrics", timeout=PATIENCE).text
        return "\nheadwater_consumer_groups_hindered 1.0\n" in told

    @contextmanager
    def server(self) -> Iterator[EventStoreDBClient]:
        """The event store, as anybody may reach it."""
        announced = json.loads((self.service.home / "running.json").read_text())
        with EventStoreDBClient(announced["eventstoredb_uri"]) as client:
            yield client


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home: Path = tmp_path_factory.mktemp("links") / "home"
    with running(home) as service:
        service.wait_for_welcome()
        shop = Shop(service)
        shop.post("/stock/85123A/receipts", {"quantity": 10_000})
        until(lambda: shop.get("/stock/85123A").get("available", 0) >= 10_000, service)
        until(shop.is_ready, service)
        yield shop


def test_somebody_writes_to_the_links_of_a_category(shop: Shop) -> None:
    """Not ready, and why; repaired, what was ordered is fulfilled and nothing is done twice."""
    before = shop.place()
    shop.fulfils(before)
    history = shop.history(before)
    with shop.server() as server:
        mine = NewEvent("Mine", b"{}")
        server.append_to_stream("$ce-order", current_version=StreamState.ANY, events=[mine])
    meanwhile = shop.place()
    until(lambda: not shop.is_ready(), shop.service)
    status, why = shop.readiness()
    assert status == 503
    assert "'$ce-order' stream" in why
    assert "run `links repair`" in why
    until(shop.alerted, shop.service)
    assert meanwhile not in picked(shop)

    told = shop.repair()
    assert "others have written to $ce-order" in told
    assert "every event is linked" in told
    until(shop.is_ready, shop.service)
    shop.fulfils(meanwhile)
    shop.fulfils(shop.place())
    assert shop.history(before) == history
    audit = cli(shop.service.home, "audit")
    assert audit.returncode == 0, audit.stdout
    assert {REPAIR} == commands_of("Events that reach no consumer group")


def test_somebody_switches_the_projection_off(shop: Shop) -> None:
    """Not ready, and why; repaired, what was ordered is fulfilled."""
    with shop.server() as server:
        server.disable_projection("$by_category")
    meanwhile = shop.place()
    until(lambda: not shop.is_ready(), shop.service)
    assert "$by_category is stopped" in shop.readiness()[1]
    assert "every event is linked" in shop.repair()
    until(shop.is_ready, shop.service)
    shop.fulfils(meanwhile)
