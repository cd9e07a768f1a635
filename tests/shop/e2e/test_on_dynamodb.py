"""The shop with its events in DynamoDB, as a person sets it up and runs it."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.dynamodb.opened import any_credentials, fresh_prefix
from tests.shop.e2e.cli import Service, cli, refusal, running, until

ORDER = {"lines": [{"sku": "85123A", "quantity": 6, "unit_price": "2.55 GBP"}]}


@pytest.fixture
def chosen(dynamodb: str) -> Mapping[str, str]:
    """The settings, with a beginning of names of which there is no table."""
    any_credentials()
    return {
        "HEADWATER_EVENT_STORE": "dynamodb",
        "HEADWATER_DYNAMODB_URI": dynamodb,
        "HEADWATER_DYNAMODB_TABLE_PREFIX": fresh_prefix(),
    }


def test_from_no_tables_to_orders_that_are_fulfilled(
    chosen: Mapping[str, str], tmp_path: Path
) -> None:
    """Nothing starts without the tables; `migrate` makes them, also in an empty home. An order that
    is under way when all is killed goes on; other commands find the store of the home."""
    home = tmp_path / "home"
    assert "run `migrate`" in refusal(cli(home, "stream", "order-1", **chosen), 2)
    migrated = cli(home, "migrate", **chosen)
    prefix = chosen["HEADWATER_DYNAMODB_TABLE_PREFIX"]
    made = [f"made the table {prefix}{name}" for name in ("streams", "log", "groups")]
    assert migrated.stdout.splitlines()[:3] == made, migrated.stderr

    with running(home, **chosen) as service:
        service.wait_for_welcome()
        service.post("/stock/85123A/receipts", {"quantity": 100})
        orders = [_placed(service)]
        until(lambda: _fulfilled(service, orders), service)
        orders.append(_placed(service))
        service.end(signal.SIGKILL)

    with running(home, **chosen) as service:
        service.wait_for_welcome()
        until(lambda: _fulfilled(service, orders), service)
        shown = cli(home, "stream", f"order-{orders[1]}")  # no store is set: that of the home
        assert "OrderConfirmed" in shown.stdout, shown.stderr
        for command in (["doctor"], ["audit"]):
            ended = cli(home, *command)
            assert ended.returncode == 0, ended.stdout + ended.stderr
        assert service.end(signal.SIGTERM) == 0
        assert "Traceback" not in service.said


def test_tables_and_policy_are_printed(chosen: Mapping[str, str], tmp_path: Path) -> None:
    """As JSON, without a call to the server; of another store there is nothing to print."""
    nowhere = {**chosen, "HEADWATER_DYNAMODB_URI": "http://127.0.0.1:1"}
    template = cli(tmp_path / "home", "migrate", "--print", "cloudformation", **nowhere)
    assert "Streams" in json.loads(template.stdout)["Resources"]
    policy = cli(tmp_path / "home", "migrate", "--print", "policy", **nowhere)
    assert json.loads(policy.stdout)["Statement"][-1]["Effect"] == "Deny"
    assert "set HEADWATER_EVENT_STORE=dynamodb" in refusal(
        cli(tmp_path / "home", "migrate", "--print", "policy"), 2
    )
    assert not (tmp_path / "home").exists()


def _placed(service: Service) -> str:
    answer = service.post("/orders", ORDER)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _fulfilled(service: Service, orders: list[str]) -> bool:
    answers = [service.get(f"/orders/{id}/fulfilment") for id in orders]
    return all(answer.get("status") == "completed" for answer in answers)
