"""Events of other parties in a service as it runs: the wiring, readiness, metrics and alerts."""

import json
from typing import Any

from infrastructure import memory
from infrastructure.container import Container
from infrastructure.monitoring import alerts
from infrastructure.processes.service import reacting
from tests.application.receiving_world import TOPIC, headers
from tests.promql import Scrapes
from tests.sample.client import Bank, bank_over, empty_bank
from tests.waiting import until_true

KAFKA: dict[str, Any] = {"bus": "kafka", "kafka_bootstrap_servers": "127.0.0.1:1"}


def topics_of(container: Container) -> memory.IncomingRecords:
    topics = container.incoming_records()
    assert isinstance(topics, memory.IncomingRecords)
    return topics


async def pays(container: Container, id: str, amount: object = 5) -> None:
    data = {"payment_id": id, "account_id": "a-1", "amount": amount}
    await topics_of(container).put(TOPIC, b"a-1", json.dumps(data).encode(), headers(id))


async def metrics(bank: Bank) -> str:
    return (await bank.http.get("/metrics")).text


async def test_what_is_received_is_counted() -> None:
    """By publisher and outcome, with the lag; a process of the sagas receives."""
    container = empty_bank(**KAFKA)
    await pays(container, "p-1")
    await pays(container, "p-2", amount=-1)
    async with bank_over(container) as bank, reacting(container):
        await until_true(lambda: handled(bank))
        shown = await metrics(bank)
        ready = (await bank.http.get("/health/ready")).json()["checks"]

    of = 'publisher="clearing"'
    assert f'headwater_received_records_total{{outcome="parked",{of}}} 1.0' in shown
    assert f'headwater_received_records_total{{outcome="newer version",{of}}} 0.0' in shown
    assert f'headwater_received_lag_records{{{of},topic="{TOPIC}"}} 0.0' in shown
    assert f"headwater_receiving_hindered{{{of}}} 0.0" in shown
    assert 'headwater_parked_events{group="clearing"} 1.0' in shown
    assert ready["received from clearing"] == "ok"


async def handled(bank: Bank) -> bool:
    found = 'headwater_received_records_total{outcome="handled",publisher="clearing"} 1.0'
    parked = 'headwater_parked_events{group="clearing"} 1.0'
    shown = await metrics(bank)
    return found in shown and parked in shown


async def test_without_a_bus_nothing_is_received() -> None:
    """No receiver, no check, no series."""
    container = empty_bank()
    async with bank_over(container) as bank, reacting(container):
        assert container.receivers() == {}
        assert "headwater_received_records_total{" not in await metrics(bank)
        assert "received" not in (await bank.http.get("/health/ready")).text


async def test_a_broker_that_does_not_answer_is_reported() -> None:
    """Readiness names the setting, the alert is true, and the process is ready all the same."""
    container = empty_bank(**KAFKA)
    container.incoming_records.reset_last_overriding()
    hindered = next(one for one in alerts(container.service()) if one.name == "NothingReceived")
    async with bank_over(container) as bank, reacting(container):
        await until_true(lambda: reported(bank))
        shown = await metrics(bank)

    assert Scrapes(shown, shown).finds(hindered.expression)


async def reported(bank: Bank) -> bool:
    """Whether the process is ready, once its read models are, and says what is wrong."""
    answer = await bank.http.get("/health/ready")
    found = str(answer.json()["checks"]["received from clearing"])
    return (
        answer.is_success
        and found.startswith("HEADWATER_KAFKA_BOOTSTRAP_SERVERS: ")
        and "127.0.0.1:1" in found
    )
