"""Workflows of every released version go on after an upgrade: their histories are replayed.

When a test here fails, workflow code has been changed so that workflows that are under way would
fail. Do not edit the histories: put the change behind ``workflow.patched``.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.workflow import NondeterminismError

from application.sagas.saga import Saga
from infrastructure.temporal.attempting import GRACE, HEARTBEAT_FROM
from infrastructure.temporal.worker import replayer
from tests.infrastructure.temporal.changed import Gated, Ungated
from tests.infrastructure.temporal.corpus import history, portable
from tests.sample.money_transfer import money_transfer
from tests.sample.service import SAMPLE
from tests.sample.workflow_histories import SAMPLE_WORKFLOWS

COMPLETED = SAMPLE_WORKFLOWS.of(money_transfer) / "completed.json"


@pytest.mark.parametrize("file", SAMPLE_WORKFLOWS.histories(), ids=lambda file: file.stem)
async def test_a_recorded_history_is_what_the_workflow_would_do_today(file: Path) -> None:
    """Each activity, timer and marker comes again, with the same id and in the same order."""
    await replayer(SAMPLE.sagas).replay_workflow(history(file))


@pytest.mark.parametrize("file", SAMPLE_WORKFLOWS.histories(), ids=lambda file: file.stem)
def test_a_recorded_history_names_no_machine(file: Path) -> None:
    """Neither its name nor a path on it, as a stack trace has them."""
    document = json.loads(file.read_text())
    assert document == portable(document)


def test_every_released_version_has_its_histories() -> None:
    """No version is without a history of each kind."""
    for saga in SAMPLE.sagas:
        held = {file.stem for file in SAMPLE_WORKFLOWS.of(saga).glob("*.json")}
        assert held == set(SAMPLE_WORKFLOWS.stories[saga.name]), f"{saga.name} {saga.version}"


@pytest.mark.parametrize("file", SAMPLE_WORKFLOWS.histories(), ids=lambda file: file.stem)
def test_every_activity_has_a_time_and_gives_signs_of_life(file: Path) -> None:
    """Start-to-close at most what its step says, and a heartbeat where it may take over 30 s."""
    longest = max(step.timeout for step in money_transfer.steps) + GRACE
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history(file).events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert scheduled
    for activity in scheduled:
        time = activity.start_to_close_timeout.ToTimedelta()
        assert timedelta() < time <= longest
        has_heartbeat = timedelta() < activity.heartbeat_timeout.ToTimedelta() < HEARTBEAT_FROM
        assert has_heartbeat == (time > HEARTBEAT_FROM + GRACE)


def other_order(saga: Saga[Any]) -> Saga[Any]:
    first, hold, pay, *rest = saga.steps
    return replace(saga, steps=(first, pay, hold, *rest))


def one_step_less(saga: Saga[Any]) -> Saga[Any]:
    return replace(saga, steps=saga.steps[:-1])


@pytest.mark.parametrize(
    "sagas",
    [[other_order(money_transfer)], [one_step_less(money_transfer)]],
    ids=["other order", "one step less"],
)
async def test_a_changed_definition_is_found_by_a_replay(sagas: Sequence[Saga[Any]]) -> None:
    """Without a version of its own, a workflow under way would take the wrong step."""
    with pytest.raises(NondeterminismError):
        await replayer(sagas).replay_workflow(history(COMPLETED))


async def test_a_change_of_the_loop_needs_a_gate() -> None:
    """One that does something else fails; behind a gate, an old history goes as it did."""
    with pytest.raises(NondeterminismError):
        await replayer(SAMPLE.sagas, Ungated).replay_workflow(history(COMPLETED))
    await replayer(SAMPLE.sagas, Gated).replay_workflow(history(COMPLETED))
