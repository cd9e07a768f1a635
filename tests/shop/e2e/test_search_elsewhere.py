"""Products in OpenSearch as a person runs it: deployed, killed, cut off from its server, damaged.

The drills of the runbooks *index red* and *deploy that fails*, with the commands that stand there.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import psycopg
import pytest

from tests.servers import OPENSEARCH, NotHere, Started, started
from tests.shop.e2e.cli import COMMAND, PATIENCE, Service, cli, refusal, running, until
from tests.stores import USUAL

HEART = "/products?words=white+heart&limit=50"
LINE = {"sku": "Z-1", "quantity": 2, "unit_price": "2.50 GBP", "description": "BLUE ZEPPELIN"}


@pytest.fixture(scope="module")
def opensearch() -> Iterator[Started]:
    """A server of its own: it is killed."""
    try:
        with started(OPENSEARCH) as server:
            yield server
    except NotHere as missing:
        if os.environ.get("REQUIRE_SERVERS"):
            raise
        pytest.skip(f"opensearch {missing}")


@pytest.fixture(scope="module")
def service(opensearch: Started, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all drills, with the sample in it."""
    home = tmp_path_factory.mktemp("search") / "home"
    settings = {
        "HEADWATER_EVENT_STORE": USUAL[-1],
        "HEADWATER_SEARCH": "opensearch",
        "HEADWATER_OPENSEARCH_URI": opensearch.address,
    }
    with running(home, **settings) as service:
        service.wait_for_welcome()
        until(lambda: service.is_ready and len(products(service)) > 5, service)
        yield service


def products(service: Service, path: str = HEART) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get(path).get("products", [])
    return found


def done(service: Service, *arguments: str) -> str:
    """What a command printed that did its work. It finds the search server by the home."""
    ended = cli(service.home, "projections", *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def roles(service: Service) -> Mapping[str, str]:
    listed = json.loads(done(service, "list", "--json"))
    return {of["build"]: of["role"] for of in listed if of["name"] == "product_search"}


def indexes(opensearch: Started) -> set[str]:
    """The builds that have an index of views."""
    names = httpx.get(f"{opensearch.address}/_cat/aliases?format=json&h=alias").json()
    found = {one["alias"].rpartition("-")[2] for one in names}
    return {name for name in found if name.startswith("product_search_v") and "parts" not in name}


def shown(opensearch: Started) -> str:
    """The index to which the name leads that other programs use."""
    found = httpx.get(f"{opensearch.address}/_alias/headwater-product_search").json()
    (index,) = found
    return str(index.split("-")[2])


def test_a_deploy_that_is_killed_leaves_the_live_index_and_is_run_again(
    service: Service, opensearch: Started
) -> None:
    """SIGKILL at its last step: the live index answers as before. Run again, the new one answers,
    and the name follows; the old one is kept, fed, and dropped when that is wanted."""
    before = products(service)
    (live,) = roles(service)
    uri = json.loads((service.home / "running.json").read_text())["postgres_uri"]
    with psycopg.connect(uri) as keeper, psycopg.connect(uri, autocommit=True) as connection:
        keep = "SELECT FROM projection_builds WHERE build = %s FOR NO KEY UPDATE"
        keeper.execute(keep, [live])  # nobody swaps it out: the deploy does not come to its end
        deploy = subprocess.Popen(
            [*COMMAND, "projections", "deploy", "product_search"],
            env={**os.environ, "HEADWATER_HOME": str(service.home)},
        )
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        deadline = time.monotonic() + PATIENCE
        while not connection.execute(waits).fetchone():
            assert time.monotonic() < deadline
            assert deploy.poll() is None, "it had ended before it was killed"
            time.sleep(0.05)
        deploy.kill()
        deploy.wait()
    assert products(service) == before
    assert (roles(service)[live], shown(opensearch)) == ("live", live)

    assert "views are equal" in done(service, "deploy", "product_search")
    new = next(build for build, role in roles(service).items() if role == "live")
    assert (products(service), shown(opensearch)) == (before, new)
    assert {live, new} <= indexes(opensearch)

    assert "answers queries again" in done(service, "rollback", "product_search", "--reason", "x")
    assert (products(service), shown(opensearch)) == (before, live)
    done(service, "drop", "product_search")
    assert indexes(opensearch) == {live}


def test_without_the_search_server_everything_else_goes_on(
    service: Service, opensearch: Started
) -> None:
    """Questions get 503 with the reason; orders are taken and shown, and the service is ready.
    When the server is back, the views catch up by themselves."""
    hearts = products(service)
    opensearch.kill()

    answer = httpx.get(f"{service.url}{HEART}", timeout=PATIENCE)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert "OpenSearch at http://127.0.0.1" in answer.json()["detail"]
    assert "does not answer" in answer.json()["detail"]
    assert "does not answer" in refusal(cli(service.home, "products", "heart"), 1)

    placed = service.post("/orders", {"lines": [LINE]})
    assert placed.status_code == 201, placed.text
    order = placed.headers["Location"]
    until(lambda: service.get(order).get("order_id") == order.rpartition("/")[2], service)
    ready = httpx.get(f"{service.url}/health/ready", timeout=PATIENCE)
    assert ready.status_code == 200, ready.text
    assert "does not answer" in ready.json()["checks"]["search server"]

    opensearch.start_again()
    until(
        lambda: [one["sku"] for one in products(service, "/products?words=zep")] == ["Z-1"], service
    )
    assert products(service) == hearts
    assert (
        httpx.get(f"{service.url}/health/ready", timeout=PATIENCE).json()["checks"]["search server"]
        == "ok"
    )


def test_index_red(service: Service, opensearch: Started) -> None:
    """Its only copy is damaged: questions get 503 with the reason. Removed, as the runbook says, it
    is made and filled again by itself."""
    hearts = products(service)
    index = next(iter(httpx.get(f"{opensearch.address}/_alias/headwater-product_search").json()))
    damage(opensearch, index)

    until(lambda: "shard" in str(service.get(HEART).get("detail")), service)
    ready = httpx.get(f"{service.url}/health/ready", timeout=PATIENCE)
    assert ready.status_code == 200
    assert f"{index} is red" in ready.json()["checks"]["search server"]
    health = httpx.get(f"{opensearch.address}/_cluster/health?level=indices").json()["indices"]
    assert [name for name, of in health.items() if of["status"] == "red"] == [index]
    explained = httpx.get(f"{opensearch.address}/_cluster/allocation/explain").json()
    assert (explained["index"], explained["current_state"]) == (index, "unassigned")
    httpx.delete(f"{opensearch.address}/{index}").raise_for_status()

    until(lambda: products(service) == hearts, service)


def damage(opensearch: Started, index: str) -> None:
    """Remove what is on the disk of its documents, as a broken disk would."""
    address = f"{opensearch.address}/{index}"
    uuid = httpx.get(f"{address}/_settings").json()[index]["settings"]["index"]["uuid"]
    httpx.post(f"{address}/_close", timeout=PATIENCE).raise_for_status()
    (documents,) = opensearch.directory.glob(f"**/indices/{uuid}/0/index")
    for file in documents.iterdir():
        file.unlink()
    httpx.post(f"{address}/_open?wait_for_active_shards=0", timeout=PATIENCE).raise_for_status()
