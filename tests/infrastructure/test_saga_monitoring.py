"""Metrics and alerts of sagas: each alert's situation is made, and its expression becomes true."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from application.backoff import Backoff
from application.ports import NO_STREAM
from application.sagas.operating import CompensateSaga
from application.sagas.progress import settle
from application.sagas.state import evolve
from application.sagas.stream import SagaStream
from infrastructure.container import in_memory
from infrastructure.monitoring import alerts
from infrastructure.processes.service import reacting
from infrastructure.providers.simulated import Fault, Faults
from tests.contracts.made_up import event
from tests.promql import Scrapes
from tests.sample.client import Bank, bank_over, empty_bank, id_of
from tests.sample.money_transfer import money_transfer
from tests.sample.program import BANK, outside_in_memory
from tests.sample.service import SAMPLE
from tests.waiting import until_true

NAME = "money_transfer"
SOON = Backoff(0.005, most=0.4)
IMPATIENT = replace(
    money_transfer, steps=tuple(replace(step, retries=SOON) for step in money_transfer.steps)
)
"""The same saga, for tests that wait for many attempts."""


@asynccontextmanager
async def moving_money(*faults: Fault, **settings: Any) -> AsyncIterator[tuple[Bank, Faults]]:
    """A bank whose transfers are carried out, as far as these faults let them."""
    in_force = Faults(faults)
    program = replace(
        BANK,
        service=replace(SAMPLE, sagas=(IMPATIENT,)),
        outside_in_memory=partial(outside_in_memory, in_force),
    )
    container = in_memory(program, BANK.settings(**settings))
    async with bank_over(container) as bank, reacting(container):
        await bank.deposited("a-1", 100)
        yield bank, in_force


async def transferred(bank: Bank, amount: int = 3) -> str:
    """The path of a new transfer with a fee."""
    return await bank.requested(amount=amount, fee="0.50 EUR")


async def reached(bank: Bank, transfer: str, status: str) -> None:
    async def is_there() -> bool:
        answer = await bank.http.get(f"{transfer}/progress")
        return answer.status_code == 200 and answer.json()["status"] == status

    await until_true(is_there)


async def scraped(bank: Bank) -> str:
    return (await bank.http.get("/metrics")).text


def expression(name: str) -> str:
    return next(alert.expression for alert in alerts(SAMPLE) if alert.name == name)


async def rings(bank: Bank, name: str) -> bool:
    """Whether the alert's expression is true now."""
    shown = await scraped(bank)
    return bool(Scrapes(shown, shown).finds(expression(name)))


async def test_a_transfer_shows_how_its_saga_stands() -> None:
    """Status, steps and attempts over HTTP; 404 as a problem for a transfer without a saga."""
    async with moving_money(Fault(kind="unavailable", call="redeem", times=2)) as (bank, _):
        transfer = await transferred(bank)
        await reached(bank, transfer, "completed")

        told = (await bank.get(f"{transfer}/progress")).json()
        assert [(entry["name"], entry["outcome"]) for entry in told["timeline"]] == [
            (step.name, "completed") for step in IMPATIENT.steps
        ]
        assert told["timeline"][2]["attempts"] == 3
        assert "state" not in told

        missing = await bank.get("/transfers/nobody/progress")
        assert missing.status_code == 404
        assert missing.json()["type"] == "urn:headwater:problem:unknown-saga"


async def test_sagas_are_timed_by_their_end_and_attempts_counted_by_outcome() -> None:
    """Completed and compensated are told apart; so are a delay, a refusal and an undoing."""
    async with moving_money(Fault(kind="unavailable", call="redeem", times=2)) as (bank, _):
        await reached(bank, await transferred(bank), "completed")
        await reached(bank, await transferred(bank, amount=1_000), "compensated")

        shown = await scraped(bank)

    for end in ("completed", "compensated"):
        assert f'headwater_saga_seconds_count{{end="{end}",saga="{NAME}"}} 1.0' in shown
    for step, outcome, number in (
        ("pay fee", "delayed", 2),
        ("pay fee", "completed", 1),
        ("hold amount", "completed", 1),
        ("hold amount", "refused", 1),
        ("request transfer", "undone", 1),
    ):
        labels = f'outcome="{outcome}",saga="{NAME}",step="{step}"'
        assert f"headwater_saga_attempts_total{{{labels}}} {number}.0" in shown


async def test_how_many_are_open_is_unknown_while_nobody_fills_the_read_model() -> None:
    """No sample rather than 0, and no alert that says all is well."""
    async with bank_over(empty_bank(), projects=False) as bank:
        assert "headwater_sagas_failed{" not in await scraped(bank)

    async with bank_over(empty_bank()) as bank:
        await until_true(lambda: shows(bank, f'headwater_sagas_failed{{saga="{NAME}"}} 0.0'))

        poison = event("SagaStarted", b"{}")
        await bank.container.streams().append(f"{NAME}-bad", [poison], NO_STREAM)
        await until_true(lambda: shows_no(bank, "headwater_sagas_failed{"))


async def shows(bank: Bank, line: str) -> bool:
    return line in await scraped(bank)


async def shows_no(bank: Bank, line: str) -> bool:
    return not await shows(bank, line)


async def test_a_step_that_keeps_failing_raises_its_alert_until_it_is_mended() -> None:
    """SagaStuck, from the fifth failed attempt on; not when the provider has come back."""
    async with moving_money(Fault(kind="unavailable", call="redeem")) as (bank, told):
        transfer = await transferred(bank)
        await until_true(lambda: rings(bank, "SagaStuck"))
        assert not await rings(bank, "CompensationFailing")

        told.set([])
        await reached(bank, transfer, "completed")
        await until_true(lambda: silent(bank, "SagaStuck"))


async def silent(bank: Bank, name: str) -> bool:
    return not await rings(bank, name)


async def test_an_undoing_that_keeps_failing_raises_its_alert() -> None:
    """CompensationFailing, while the fee of a cancelled transfer cannot be given back."""
    async with moving_money(Fault(kind="unavailable")) as (bank, _):
        transfer = await transferred(bank)
        await until_true(lambda: rings(bank, "SagaStuck"))
        assert not await rings(bank, "CompensationFailing")

        await bank.post(f"{transfer}/cancellation", {"reason": "too late"})
        await until_true(lambda: rings(bank, "CompensationFailing"))
        assert not await rings(bank, "SagaStuck")


async def test_a_saga_that_needs_a_person_raises_its_alert() -> None:
    """SagaFailed: somebody has a transfer undone that stands."""
    async with moving_money() as (bank, _):
        transfer = await transferred(bank)
        await reached(bank, transfer, "completed")

        undo = CompensateSaga(by="ada", reason="a mistake")
        await bank.dispatch(id_of(transfer), undo, IMPATIENT.category)
        await reached(bank, transfer, "failed")
        await until_true(lambda: rings(bank, "SagaFailed"))


async def test_a_saga_that_nobody_runs_raises_its_alert() -> None:
    """SagaOverdue, when an attempt should have ended more than a minute ago."""
    async with bank_over(empty_bank()) as bank:
        long_ago = datetime.now(UTC) - timedelta(minutes=7)
        stream = SagaStream(bank.container.event_store(), NAME, "t-1")
        facts = IMPATIENT.facts.model_validate(
            {"transfer_id": "t-1", "source": "a", "target": "b", "amount": 1, "fee": "1 EUR"}
        )
        started = IMPATIENT.start(facts)
        begun = settle(IMPATIENT, evolve(stream.state, started), long_ago)
        await stream.append([started, *begun], long_ago)

        await until_true(lambda: rings(bank, "SagaOverdue"))
        assert not await rings(bank, "SagaStuck")


@pytest.mark.parametrize(("kind", "rings"), [("unavailable", True), ("decline", False)])
async def test_attempts_that_fail_for_no_reason_of_business_raise_an_alert(
    kind: str, rings: bool
) -> None:
    """SagaStepFailing by delays, as a share of all attempts; a refusal is business as usual."""
    async with moving_money() as (bank, told):

        async def transfers() -> str:
            """Eight transfers, with three faults."""
            fault = {"kind": kind, "call": "redeem", "times": 3}
            told.set([Fault.model_validate(fault)])
            for transfer in [await transferred(bank) for _ in range(8)]:
                await until_true(partial(ended, bank, transfer))
            return await scraped(bank)

        found = Scrapes(await transfers(), await transfers()).finds(expression("SagaStepFailing"))

    steps = {dict(labels)["step"] for labels in found}
    assert steps == ({"pay fee"} if rings else set())


async def ended(bank: Bank, transfer: str) -> bool:
    answer = await bank.http.get(f"{transfer}/progress")
    return answer.status_code == 200 and answer.json()["status"] in ("completed", "compensated")
