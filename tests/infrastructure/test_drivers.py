"""Drivers are extras: a service imports those of the stores that it is set up for, and no other."""

import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.without import COMMAND, IMPORT_ALL, PATIENCE, command, environment, run

EVENTSTOREDB = ("esdbclient", "grpc", "google.protobuf")
POSTGRES = ("psycopg", "psycopg_pool", "psycopg_binary")
SEARCH = ("opensearchpy", "algoliasearch")
DYNAMODB = ("aiobotocore", "botocore")
S3 = ("obstore",)
KAFKA = ("confluent_kafka",)
TEMPORAL = ("temporalio",)
IN_MEMORY = """
import asyncio, httpx
from infrastructure.container import in_memory
from infrastructure.http.app import create_app
from tests.sample.program import BANK

async def main():
    app = create_app(in_memory(BANK, BANK.settings()))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post("/accounts/a-1/deposits", json={"amount": 1})
            print(answer.status_code)

asyncio.run(main())
"""


def test_every_module_but_the_stores_can_be_imported_without_drivers(tmp_path: Path) -> None:
    """Neither the wiring, nor HTTP, nor a command imports a driver before its store is chosen."""
    ended = run(
        (*EVENTSTOREDB, *POSTGRES, *SEARCH, *DYNAMODB, *S3, *KAFKA, *TEMPORAL), IMPORT_ALL, tmp_path
    )

    missing = set(ended.stdout.split())
    searched = ("opensearch", "algolia")
    names = ("eventstoredb", "postgres", *searched, "dynamodb", "s3", "kafka", "temporal")
    drivers = [f"infrastructure.{one}" for one in names]
    assert all(any(name.startswith(one) for name in missing) for one in drivers), ended.stderr
    stores = (*drivers, "infrastructure.cli.node")
    assert all(name.startswith(stores) for name in missing), missing


def test_a_service_in_memory_needs_no_driver(tmp_path: Path) -> None:
    """It accepts commands where neither driver is installed."""
    ended = run((*EVENTSTOREDB, *POSTGRES), IN_MEMORY, tmp_path)

    assert ended.stdout.split()[-1:] == ["201"], ended.stderr


def test_a_service_on_postgresql_needs_no_other_driver(
    tmp_path: Path, postgres: str, unused_tcp_port: int
) -> None:
    """It is ready, takes a command and shows what came of it where grpcio is not installed."""
    without = (*EVENTSTOREDB, "embedded_eventstoredb")
    settings = {
        "HEADWATER_EVENT_STORE": "postgres",
        "HEADWATER_POSTGRES_URI": postgres,
        "HEADWATER_HTTP_PORT": str(unused_tcp_port),
    }
    with subprocess.Popen(
        command(without, COMMAND, "serve"),
        cwd=tmp_path,
        env=environment(tmp_path, **settings),
        stderr=subprocess.DEVNULL,
    ) as service:
        try:
            url = f"http://127.0.0.1:{unused_tcp_port}"
            _until_ready(url, service)
            with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
                wanted = {"source": "a-1", "target": "a-2", "amount": 7}
                done = client.post("/transfers", json=wanted).headers
                token = {"Consistency-Token": done["Consistency-Token"]}
                shown = client.get(done["Location"], headers=token).json()
                assert (shown["source"], shown["amount"]) == ("a-1", 7)
        finally:
            service.kill()
    ended = run(
        without, COMMAND, tmp_path, "stream", f"transfer-{shown['transfer_id']}", **settings
    )
    assert "TransferRequested" in ended.stdout, ended.stderr


@pytest.mark.parametrize(
    ("without", "store", "told"),
    [
        (EVENTSTOREDB, "eventstoredb", "esdbclient is not installed: install the extra 'eventst"),
        (POSTGRES, "postgres", "psycopg is not installed: install the extra 'postgres'"),
    ],
)
def test_a_store_without_its_driver_is_refused(
    tmp_path: Path, without: tuple[str, ...], store: str, told: str
) -> None:
    """One line names what is missing and the extra that brings it, and there is no trace."""
    ended = run(
        without,
        COMMAND,
        tmp_path,
        *("stream", "account-1"),
        HEADWATER_EVENT_STORE=store,
        **{f"HEADWATER_{store.upper()}_URI": "esdb://h" if store != "postgres" else "postgres://h"},
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert told in line


def _until_ready(url: str, service: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert service.poll() is None
        try:
            if httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("it does not become ready")
