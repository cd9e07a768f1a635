"""A released definition never changes: sagas that are under way go on as they began.

When a test here fails, a released version has been changed. Do not edit the histories: put the
changed definition behind it, under the next version, and run
``python -m tests.shop.contracts.saga_histories``.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from application.sagas.progress import next_action, settle
from application.sagas.saga import Saga
from application.sagas.state import AT_WORK, SagaState, evolve
from application.shop.service import SHOP
from tests.shop.contracts.saga_histories import STORIES, asked, home

OUTSIDE = {"SagaStarted", "SagaWoken", "CompensationOrdered", "EventArrived"}  # by others
HISTORIES = [
    pytest.param(saga, file, id=f"{saga.name} {saga.version} {file.stem}")
    for saga in SHOP.sagas
    for file in sorted(home(saga).glob("*.jsonl"))
]


@pytest.mark.parametrize(("saga", "file"), HISTORIES)
def test_a_recorded_history_is_what_the_definition_would_do_today(
    saga: Saga[Any], file: Path
) -> None:
    """Event by event, each recorded one is what its version of the saga makes of those before."""
    state = SagaState()
    for text in file.read_text().splitlines():
        told = json.loads(text)
        event: Any = SHOP.catalogue.decode(
            told["type"], told["schema_version"], json.dumps(told["data"]).encode()
        )
        if told["type"] not in OUTSIDE:
            due = settle(saga, state, datetime.fromisoformat(told["at"]))
            action = next_action(saga, state)
            assert event == due[0] if due else action and event.step == action.step.name
        state = evolve(state, event)

    assert state.status not in AT_WORK, "a history has an end"


@pytest.mark.parametrize("saga", SHOP.sagas, ids=lambda saga: f"{saga.name} {saga.version}")
def test_a_released_step_asks_for_what_it_always_did(saga: Saga[Any]) -> None:
    """Commands, compensations, timeouts and retries of a released version are frozen."""
    first = json.loads((home(saga) / "completed.jsonl").read_text().splitlines()[0])

    assert asked(saga, first["data"]["facts"]) == (home(saga) / "asked.txt").read_text()


@pytest.mark.parametrize("saga", SHOP.sagas, ids=lambda saga: f"{saga.name} {saga.version}")
def test_every_released_version_has_its_histories(saga: Saga[Any]) -> None:
    """No version is without a history of each kind."""
    assert {file.stem for file in home(saga).glob("*.jsonl")} == set(STORIES[saga.name])


def test_versions_are_told_apart() -> None:
    """Versions count from 1, in order: the newest is what new sagas are started with."""
    for versions in SHOP.versions.values():
        assert list(versions) == list(range(1, len(versions) + 1))
