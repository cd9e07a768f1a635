"""The first minutes on servers of one's own that hold nothing: all is ready, and all can be asked.

A new EventStoreDB is not the embedded node of a home: its projections are off.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from embedded_eventstoredb import NodeProcess
from infrastructure.cli.main import command_line
from infrastructure.settings import EventStore
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests.shop.e2e.cli import PATIENCE, serving

NOBODY = "00000000-0000-0000-0000-000000000001"
COMMANDS = {
    "migrate": 0,
    "stream order-1": 1,
    "audit": 0,
    "projections list": 0,
    "projections resume order_summary": 1,
    "projections retry order_summary": 1,
    f"projections skip order_summary {NOBODY} --reason x": 1,
    "projections pause order_summary --reason x": 0,
    "projections rollback order_summary --reason x": 1,
    "projections deploy stock_levels": 0,
    "projections drop stock_levels_v1": 0,
    "parked list": 0,
    f"parked show {NOBODY}": 1,
    "parked replay --all": 0,
    f"parked discard {NOBODY} --reason x": 1,
    "sagas list": 0,
    "sagas show 1": 1,
    "sagas retry 1 --reason x": 1,
    "sagas compensate 1 --reason x": 1,
    "sagas resolve 1 --reason x": 1,
    "streams": 0,
    "events list": 0,
    "trace 1": 1,
    "history order-1": 1,
    "orders": 0,
    "orders 1": 1,
    "sales": 0,
    "customers": 0,
    "customers 1": 1,
    "customers 1 --orders": 1,
    "customers --orders": 2,
    "products": 0,
    "products tea": 0,
    "stock 1": 1,
    "warehouse picks": 0,
    "warehouse dispatch 1": 1,
    "exchanges list": 0,
    "exchanges request 1 --back 1,1 --for tea,1,1GBP": 2,
    "exchanges received 1": 1,
    "monitoring alerts": 0,
}
"""What can be typed, and with which code it ends where there is nothing."""


@pytest.fixture
def servers(event_store: EventStore, postgres: str) -> Iterator[Mapping[str, str]]:
    """Empty servers, and providers, by the settings that lead to them."""
    with SimulatedProviders() as outside, NodeProcess(projections=False) as node:
        providers = {
            "HEADWATER_PAYMENT_PROVIDER_URI": outside.uris["payment_provider_uri"],
            "HEADWATER_CARRIER_URI": outside.uris["carrier_uri"],
        }
        stores = {"HEADWATER_EVENT_STORE": event_store, "HEADWATER_POSTGRES_URI": postgres}
        if event_store == "eventstoredb":
            stores["HEADWATER_EVENTSTOREDB_URI"] = node.uri
        yield {**providers, **stores}


def test_a_service_on_empty_servers_is_ready_within_seconds(
    servers: Mapping[str, str], tmp_path: Path, unused_tcp_port: int
) -> None:
    """Nothing has to be written first, and nothing waits for an event that may not come."""
    url = f"http://127.0.0.1:{unused_tcp_port}/health/ready"
    end = time.monotonic() + PATIENCE
    with serving(tmp_path / "home", **servers, HEADWATER_HTTP_PORT=str(unused_tcp_port)) as process:
        while (told := _asked(url)) != "ready":
            assert process.poll() is None
            assert time.monotonic() < end, told
            time.sleep(0.05)


def _asked(url: str) -> str:
    try:
        return str(httpx.get(url, trust_env=False).json()["status"])
    except httpx.HTTPError as error:
        return repr(error)


def test_every_command_can_be_typed_on_emptiness(
    servers: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any service ran there: each ends by itself, with a sentence where it finds nothing."""
    for name, value in {**servers, "HEADWATER_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)

    ended = {typed: CliRunner().invoke(command_line(PROGRAM), typed.split()) for typed in COMMANDS}

    told = {typed: f"{one.output}{one.exception!r}" for typed, one in ended.items()}
    assert {typed: one.exit_code for typed, one in ended.items()} == COMMANDS, told
    assert not any("Traceback" in output for output in told.values())
