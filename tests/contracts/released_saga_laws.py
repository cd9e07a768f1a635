"""A released definition never changes: sagas that are under way go on as they began.

A suite that is run on the sagas of one service. When a test here fails, a released version has been
changed. Do not edit the histories: put the changed definition behind it, under the next version,
and freeze its histories with the command that the test names.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from application.sagas.progress import next_action, settle
from application.sagas.saga import Saga
from application.sagas.state import AT_WORK, SagaState, evolve
from tests.contracts.saga_corpus import SagaCorpus, asked

__all__ = [
    "test_a_recorded_history_is_what_the_definition_would_do_today",
    "test_a_released_step_asks_for_what_it_always_did",
    "test_every_released_version_has_its_histories",
]

OUTSIDE = {"SagaStarted", "SagaWoken", "CompensationOrdered", "EventArrived"}  # by others


def test_a_recorded_history_is_what_the_definition_would_do_today(
    corpus: SagaCorpus, saga: Saga[Any], history: Path
) -> None:
    """Event by event, each recorded one is what its version of the saga makes of those before."""
    state = SagaState()
    for text in history.read_text().splitlines():
        told = json.loads(text)
        event: Any = corpus.service.catalogue.decode(
            told["type"], told["schema_version"], json.dumps(told["data"]).encode()
        )
        if told["type"] not in OUTSIDE:
            due = settle(saga, state, datetime.fromisoformat(told["at"]))
            action = next_action(saga, state)
            assert event == due[0] if due else action and event.step == action.step.name
        state = evolve(state, event)

    assert state.status not in AT_WORK, "a history has an end"


def test_a_released_step_asks_for_what_it_always_did(corpus: SagaCorpus, saga: Saga[Any]) -> None:
    """Commands, compensations, timeouts and retries of a released version are frozen."""
    assert asked(saga, corpus.facts(saga)) == (corpus.of(saga) / "asked.txt").read_text()


def test_every_released_version_has_its_histories(corpus: SagaCorpus, saga: Saga[Any]) -> None:
    """No version is without a history of each kind."""
    held = {file.stem for file in corpus.of(saga).glob("*.jsonl")}
    assert held == set(corpus.stories[saga.name]), f"run: python -m {corpus.module}"
