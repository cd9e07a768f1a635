"""The shop with events and read models in DynamoDB and its searches in Algolia: nothing else."""

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.algolia.apart import recorded_apart
from tests.dynamodb.opened import any_credentials, fresh_prefix
from tests.shop.e2e.cli import Service, cli, refusal, running, until

ORDER = {
    "customer_id": "17850",
    "country": "France",
    "lines": [
        {"sku": "85123A", "description": "WHITE HEART", "quantity": 6, "unit_price": "2.55 GBP"}
    ],
}


@pytest.fixture
def chosen(dynamodb: str) -> Iterator[Mapping[str, str]]:
    """The settings, with a beginning of names of which there is no table."""
    any_credentials()
    with recorded_apart() as search:
        yield {
            **search,
            "HEADWATER_EVENT_STORE": "dynamodb",
            "HEADWATER_READ_MODELS": "dynamodb",
            "HEADWATER_DYNAMODB_URI": dynamodb,
            "HEADWATER_DYNAMODB_TABLE_PREFIX": fresh_prefix(),
        }


def test_the_whole_shop_runs(chosen: Mapping[str, str], tmp_path: Path) -> None:
    """An order is placed, found by its fields, counted in the sales, and its product found by
    words. A kill changes nothing. A build is deployed, and everything adds up."""
    home = tmp_path / "home"
    assert cli(home, "migrate", **chosen).returncode == 0
    with running(home, **chosen) as service:
        service.wait_for_welcome()
        service.post("/stock/85123A/receipts", {"quantity": 100})
        orders = [_placed(service), _placed(service)]
        until(lambda: _fulfilled(service, orders), service)
        service.end(signal.SIGKILL)

    with running(home, **chosen) as service:
        service.wait_for_welcome()
        until(lambda: _shown(service, orders), service)
        deployed = cli(home, "projections", "deploy", "order_summary", **chosen)
        assert "order_summary_v2_2 answers queries" in deployed.stdout, deployed.stderr
        assert _shown(service, orders)
        for command in (["doctor"], ["audit"]):
            ended = cli(home, *command, **chosen)
            assert ended.returncode == 0, ended.stdout + ended.stderr
        assert service.end(signal.SIGTERM) == 0
        assert "Traceback" not in service.said
    made = {one.name for one in home.iterdir() if one.is_dir()}
    assert made <= {"log", "providers", "payloads"}, "a server was started there"


def test_words_need_a_search_engine(chosen: Mapping[str, str], tmp_path: Path) -> None:
    """Without one, nothing starts; the sentence has what DynamoDB cannot do, and the setting."""
    without = {key: value for key, value in chosen.items() if "ALGOLIA" not in key}
    del without["HEADWATER_SEARCH"]

    said = refusal(cli(tmp_path / "home", "migrate", **without), 2)

    assert "product_search cannot be kept in DynamoDB, which cannot search views by words" in said
    assert "HEADWATER_SEARCH=" in said


def _placed(service: Service) -> str:
    answer = service.post("/orders", ORDER)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _fulfilled(service: Service, orders: list[str]) -> bool:
    answers = [service.get(f"/orders/{id}/fulfilment") for id in orders]
    return all(answer.get("status") == "completed" for answer in answers)


def _shown(service: Service, orders: list[str]) -> bool:
    found = service.get("/orders?customer_id=17850&status=confirmed").get("orders", [])
    (product,) = service.get("/products?words=heart").get("products") or [{}]
    return {one["order_id"] for one in found} == {*orders} and product.get("units_sold") == 12
