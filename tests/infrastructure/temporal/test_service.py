"""The service with its sagas on Temporal's development server (the real one)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from application.ports import StoreUnavailable
from application.sagas.operating import CompensateSaga, ResolveSaga, RetrySaga, SagaCommand
from infrastructure.connecting import opened_to_serve
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.roles import Role
from infrastructure.settings import InvalidSettings
from tests.infrastructure.test_roles import process
from tests.infrastructure.test_saga_monitoring import moving_money, reached, scraped, transferred
from tests.sample.client import Bank, empty_bank, id_of
from tests.sample.money_transfer import money_transfer
from tests.waiting import until_true

AWAY = Fault(kind="unavailable", call="redeem")
NAME = money_transfer.name


def on_temporal(address: str, **more: Any) -> dict[str, Any]:
    """The settings, with a task queue of its own."""
    queue = f"test {uuid4()}"
    own = {"temporal_address": address, "temporal_task_queue": queue, **more}
    return {"saga_engine": "temporal", **own}


@asynccontextmanager
async def moving(address: str, *faults: Fault) -> AsyncIterator[tuple[Bank, Faults]]:
    async with moving_money(*faults, **on_temporal(address)) as (bank, in_force):
        yield bank, in_force


async def operated(bank: Bank, transfer: str, command: SagaCommand) -> None:
    await bank.dispatch(id_of(transfer), command, category=money_transfer.category)


async def test_a_saga_is_found_in_temporal_by_its_id_and_status(
    temporal: str, client: Client
) -> None:
    """Its workflow has the name of its stream, and ends with it; the same event starts no other."""
    async with moving(temporal) as (bank, _):
        transfer = await transferred(bank)
        await reached(bank, transfer, "completed")
    id = id_of(transfer)

    async def found() -> bool:
        query = f"SagaId = '{id}' AND SagaStatus = 'completed'"
        return [one.id async for one in client.list_workflows(query)] == [f"{NAME}-{id}"]

    await until_true(found)


async def test_both_engines_have_the_same_metrics(temporal: str) -> None:
    """Whatever drives the sagas: the same samples, of the same numbers."""
    shown = []
    for settings in ({}, on_temporal(temporal)):
        faults = [Fault(kind="unavailable", call="redeem", times=2)]
        async with moving_money(*faults, **settings) as (bank, _):
            await reached(bank, await transferred(bank), "completed")
            await reached(bank, await transferred(bank, amount=1_000), "compensated")
            shown.append(await scraped(bank))

    plain, ours = (
        sorted(re.findall(r"^headwater_saga_(?:attempts|seconds_count).*", text, re.MULTILINE))
        for text in shown
    )
    without_birth = [line for line in plain if "_created" not in line]
    assert [line for line in ours if "_created" not in line] == without_birth
    assert len(without_birth) > 8


async def test_operators_act_on_sagas_by_the_same_commands(temporal: str) -> None:
    """Retry, compensate, resolve: each reaches the workflow, with the name of the operator."""
    async with moving(temporal, AWAY) as (bank, faults):
        retried, undone = await transferred(bank), await transferred(bank)
        for transfer in (retried, undone):
            await until_true(lambda of=transfer: delayed(bank, of))  # type: ignore[misc]
        await operated(bank, undone, CompensateSaga(by="ada", reason="no more"))
        await reached(bank, undone, "compensated")
        faults.set(())
        await operated(bank, retried, RetrySaga(by="ada", reason="it is back"))
        await reached(bank, retried, "completed")
        await operated(bank, retried, CompensateSaga(by="ada", reason="too late"))
        await reached(bank, retried, "failed")
        await operated(bank, retried, ResolveSaga(by="ada", reason="paid back by hand"))
        await reached(bank, retried, "resolved")

        timeline = (await bank.get(f"{retried}/progress")).json()["timeline"]
    acted = [(entry["kind"], entry["by"]) for entry in timeline if entry["by"]]
    assert {by for _, by in acted} == {"ada"}
    assert len(acted) == 3


async def test_cancelling_the_workflow_compensates_the_saga(temporal: str, client: Client) -> None:
    """As an operator may do on Temporal's pages: nothing is cut off, and all is undone."""
    async with moving(temporal, AWAY) as (bank, _):
        transfer = await transferred(bank)
        await until_true(lambda: delayed(bank, transfer))
        workflow = client.get_workflow_handle(f"{NAME}-{id_of(transfer)}")
        await workflow.cancel()
        await reached(bank, transfer, "compensated")

        async def ended() -> bool:
            return (await workflow.describe()).status is WorkflowExecutionStatus.COMPLETED

        await until_true(ended)


async def test_no_history_can_be_read_without_the_key(temporal: str, client: Client) -> None:
    """What a saga knows stands encrypted in Temporal: neither accounts nor amounts are readable."""
    async with moving(temporal) as (bank, _):
        transfer = await transferred(bank)
        await reached(bank, transfer, "completed")
    workflow = client.get_workflow_handle(f"{NAME}-{id_of(transfer)}")
    history = b"".join(
        [event.SerializeToString() async for event in workflow.fetch_history_events()]
    )

    assert b"binary/encrypted" in history
    for readable in (b'"amount"', b'"facts"', b'"source"'):
        assert readable not in history


async def delayed(bank: Bank, transfer: str) -> bool:
    return "StepDelayed" in await bank.events(f"{NAME}-{id_of(transfer)}")


async def test_a_process_of_sagas_is_ready_while_temporal_answers(temporal: str) -> None:
    """Readiness names it; a process without sagas does not look."""
    async with process({Role.SAGAS}, empty_bank(**on_temporal(temporal))) as one:
        assert (await one.ready())["engine of sagas"] == "ok"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"temporal_namespace": "nowhere"}, "HEADWATER_TEMPORAL_NAMESPACE: Temporal has no name"),
        ({"saga_engines": ("no_saga=temporal",)}, "HEADWATER_SAGA_ENGINES: there is no saga no_s"),
    ],
)
async def test_what_cannot_work_ends_the_start(
    wrong: dict[str, Any], told: str, temporal: str
) -> None:
    """The start names the setting, and what is wrong with it."""
    with pytest.raises(InvalidSettings, match=told):
        async with opened_to_serve(empty_bank(**on_temporal(temporal, **wrong))):
            pass


async def test_a_temporal_that_does_not_answer_ends_the_start() -> None:
    """With its address, and the setting that has it."""
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1 \(HEADWATER_TEMPORAL_ADDRESS\)"):
        async with asyncio.timeout(30), opened_to_serve(empty_bank(**on_temporal("127.0.0.1:1"))):
            pass


async def test_each_saga_may_have_its_own_engine(temporal: str, client: Client) -> None:
    """One that is left to the plain engine has no workflow."""
    settings = on_temporal(temporal, saga_engines=(f"{NAME}=plain",))
    async with moving_money(**settings) as (bank, _):
        transfer = await transferred(bank)
        await reached(bank, transfer, "completed")
    workflow = client.get_workflow_handle(f"{NAME}-{id_of(transfer)}")
    with pytest.raises(Exception, match="not found"):
        await workflow.describe()
