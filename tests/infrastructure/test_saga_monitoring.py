"""Metrics and alerts of sagas: each alert's situation is made, and its expression becomes true."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest

from application.ports import NO_STREAM
from application.sagas.operating import CompensateSaga
from application.sagas.progress import settle
from application.sagas.state import evolve
from application.sagas.stream import SagaStream
from application.shop.service import SHOP
from domain.orders import ShipOrder
from domain.stock import ReceiveStock
from infrastructure.http.app import create_app
from infrastructure.monitoring import alerts
from infrastructure.providers.simulated import Fault, Faults
from tests.contracts.made_up import event
from tests.promql import Scrapes
from tests.shop.infrastructure.fulfilling import IMPATIENT, fulfilling
from tests.shop.infrastructure.shop import Shop, empty_shop, shop_over
from tests.waiting import until_true

NAME = "order_fulfilment"


@asynccontextmanager
async def fulfilling_shop(*faults: Fault) -> AsyncIterator[tuple[Shop, Faults]]:
    """A shop with goods whose orders are fulfilled, as far as these faults let them."""
    told = Faults(faults)
    async with shop_over(empty_shop()) as shop, fulfilling(shop.container, told):
        await shop.dispatch("85123A", ReceiveStock(receipt_id="r-1", quantity=100))
        yield shop, told


async def reached(shop: Shop, order: str, status: str) -> None:
    async def is_there() -> bool:
        answer = await shop.http.get(f"{order}/fulfilment")
        return answer.status_code == 200 and answer.json()["status"] == status

    await until_true(is_there)


async def scraped(shop: Shop) -> str:
    return (await shop.http.get("/metrics")).text


def expression(name: str) -> str:
    return next(alert.expression for alert in alerts(SHOP) if alert.name == name)


async def rings(shop: Shop, name: str) -> bool:
    """Whether the alert's expression is true now."""
    shown = await scraped(shop)
    return bool(Scrapes(shown, shown).finds(expression(name)))


async def test_an_order_shows_how_its_fulfilment_stands() -> None:
    """Status, steps and attempts over HTTP; 404 as a problem for an order without a saga."""
    async with fulfilling_shop(Fault(kind="unavailable", call="book", times=2)) as (shop, _):
        order = await shop.placed()
        await reached(shop, order, "completed")

        told = (await shop.get(f"{order}/fulfilment")).json()
        assert [(entry["name"], entry["outcome"]) for entry in told["timeline"]] == [
            (step.name, "completed") for step in IMPATIENT.steps
        ]
        assert told["timeline"][3]["attempts"] == 3
        assert "state" not in told

        missing = await shop.get("/orders/nobody/fulfilment")
        assert missing.status_code == 404
        assert missing.json()["type"] == "urn:headwater:problem:unknown-saga"


async def test_sagas_are_timed_by_their_end_and_attempts_counted_by_outcome() -> None:
    """Completed and compensated are told apart; so are a delay, a refusal and an undoing."""
    async with fulfilling_shop(Fault(kind="unavailable", call="book", times=2)) as (shop, _):
        await reached(shop, await shop.placed(), "completed")
        line = {"sku": "85123A", "quantity": 1_000, "unit_price": "1 GBP"}
        await reached(shop, await shop.placed(lines=[line]), "compensated")

        shown = await scraped(shop)

    for end in ("completed", "compensated"):
        assert f'headwater_saga_seconds_count{{end="{end}",saga="{NAME}"}} 1.0' in shown
    for step, outcome, number in (
        ("book shipment", "delayed", 2),
        ("book shipment", "completed", 1),
        ("reserve stock", "completed", 1),
        ("reserve stock", "refused", 1),
        ("place order", "undone", 1),
    ):
        labels = f'outcome="{outcome}",saga="{NAME}",step="{step}"'
        assert f"headwater_saga_attempts_total{{{labels}}} {number}.0" in shown


async def test_how_many_are_open_is_unknown_while_nobody_fills_the_read_model() -> None:
    """No sample rather than 0, and no alert that says all is well."""
    app = create_app(empty_shop())
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client:
        assert "headwater_sagas_failed{" not in (await client.get("/metrics")).text

    async with shop_over(empty_shop()) as shop:
        await until_true(lambda: shows(shop, f'headwater_sagas_failed{{saga="{NAME}"}} 0.0'))

        poison = event("SagaStarted", b"{}")
        await shop.container.streams().append(f"{NAME}-bad", [poison], NO_STREAM)
        await until_true(lambda: shows_no(shop, "headwater_sagas_failed{"))


async def shows(shop: Shop, line: str) -> bool:
    return line in await scraped(shop)


async def shows_no(shop: Shop, line: str) -> bool:
    return not await shows(shop, line)


async def test_a_step_that_keeps_failing_raises_its_alert_until_it_is_mended() -> None:
    """SagaStuck, from the fifth failed attempt on; not when the provider has come back."""
    async with fulfilling_shop(Fault(kind="unavailable", call="authorise")) as (shop, told):
        order = await shop.placed()
        await until_true(lambda: rings(shop, "SagaStuck"))
        assert not await rings(shop, "CompensationFailing")

        told.set([])
        await reached(shop, order, "completed")
        await until_true(lambda: silent(shop, "SagaStuck"))


async def silent(shop: Shop, name: str) -> bool:
    return not await rings(shop, name)


async def test_an_undoing_that_keeps_failing_raises_its_alert() -> None:
    """CompensationFailing, while a parcel of a cancelled order cannot be cancelled."""
    async with fulfilling_shop() as (shop, told):
        order = await shop.placed()
        await reached(shop, order, "completed")
        assert not await rings(shop, "CompensationFailing")

        told.set([Fault(kind="unavailable", call="cancel")])
        await shop.post(f"{order}/cancellation", {"reason": "too late"})
        await until_true(lambda: rings(shop, "CompensationFailing"))
        assert not await rings(shop, "SagaStuck")


async def test_a_saga_that_needs_a_person_raises_its_alert() -> None:
    """SagaFailed: somebody has an order undone whose goods have left."""
    async with fulfilling_shop() as (shop, _):
        order = await shop.placed()
        await reached(shop, order, "completed")
        id = order.removeprefix("/orders/")
        await shop.dispatch(id, ShipOrder(shipment_id=id))

        await shop.dispatch(id, CompensateSaga(by="ada", reason="a mistake"))
        await reached(shop, order, "failed")
        await until_true(lambda: rings(shop, "SagaFailed"))


async def test_a_saga_that_nobody_runs_raises_its_alert() -> None:
    """SagaOverdue, when an attempt should have ended more than a minute ago."""
    async with shop_over(empty_shop()) as shop:
        long_ago = datetime.now(UTC) - timedelta(minutes=7)
        stream = SagaStream(shop.container.event_store(), NAME, "o-1")
        facts = IMPATIENT.facts.model_validate(
            {"order_id": "o-1", "units": {"x": 1}, "worth": "1 GBP", "country": None}
        )
        started = IMPATIENT.start(facts)
        begun = settle(IMPATIENT, evolve(stream.state, started), long_ago)
        await stream.append([started, *begun], long_ago)

        await until_true(lambda: rings(shop, "SagaOverdue"))
        assert not await rings(shop, "SagaStuck")


@pytest.mark.parametrize(("kind", "rings"), [("unavailable", True), ("decline", False)])
async def test_attempts_that_fail_for_no_reason_of_business_raise_an_alert(
    kind: str, rings: bool
) -> None:
    """SagaStepFailing by delays, as a share of all attempts; a refusal is business as usual."""
    async with fulfilling_shop() as (shop, told):

        async def fulfil() -> str:
            """Eight orders, with three faults."""
            fault = {"kind": kind, "call": "authorise", "times": 3}
            told.set([Fault.model_validate(fault)])
            for order in [await shop.placed() for _ in range(8)]:
                await until_true(partial(ended, shop, order))
            return await scraped(shop)

        found = Scrapes(await fulfil(), await fulfil()).finds(expression("SagaStepFailing"))

    steps = {dict(labels)["step"] for labels in found}
    assert steps == ({"authorise payment"} if rings else set())


async def ended(shop: Shop, order: str) -> bool:
    answer = await shop.http.get(f"{order}/fulfilment")
    return answer.status_code == 200 and answer.json()["status"] in ("completed", "compensated")
