"""A corpus of sagas: recorded histories of each released version, and what its steps asked for.

Nothing there is ever overwritten: a changed definition is a new version, with histories of its own.
"""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from application.messages import RecordedEvent
from application.sagas.actions import Action
from application.sagas.saga import Check, Facts, Saga, Step, Wait
from application.service import Service

Story = Callable[[], Coroutine[Any, Any, Sequence[RecordedEvent]]]
"""Lets something happen to one saga, and returns the events of its stream."""


@dataclass(frozen=True)
class SagaCorpus:
    """The sagas of a service, where their histories are, and how they come about.

    ``stories``: by saga and by name; one is called ``completed``. ``module``: where it is declared.
    Run as a program, that module freezes what is missing.
    """

    home: Path
    module: str
    service: Service[Any]
    stories: Mapping[str, Mapping[str, Story]]

    def of(self, saga: Saga[Any]) -> Path:
        """Where the histories of one version are."""
        return self.home / saga.name / str(saga.version)

    def facts(self, saga: Saga[Any]) -> dict[str, Any]:
        """Those of its history ``completed``."""
        first = json.loads((self.of(saga) / "completed.jsonl").read_text().splitlines()[0])
        facts: dict[str, Any] = first["data"]["facts"]
        return facts

    def freeze(self) -> None:
        """Write the histories of the newest version of each saga, unless they are there."""
        for name, versions in self.service.versions.items():
            self._freeze(list(versions.values())[-1], self.stories[name])

    def _freeze(self, saga: Saga[Any], stories: Mapping[str, Story]) -> None:
        newest = self.of(saga)
        newest.mkdir(parents=True, exist_ok=True)
        for name, story in stories.items():
            if not (file := newest / f"{name}.jsonl").exists():
                file.write_text("\n".join(map(line, asyncio.run(story()))) + "\n")
                print("froze", file.relative_to(self.home))
        if not (file := newest / "asked.txt").exists():
            file.write_text(asked(saga, self.facts(saga)))
            print("froze", file.relative_to(self.home))


def of(corpus: SagaCorpus) -> Callable[[pytest.Metafunc], None]:
    """Runs each law of :mod:`tests.contracts.released_saga_laws` on it."""

    def generate(metafunc: pytest.Metafunc) -> None:
        sagas = {f"{saga.name} {saga.version}": saga for saga in corpus.service.sagas}
        if "history" in metafunc.fixturenames:
            files = [
                pytest.param(saga, file, id=f"{name} {file.stem}")
                for name, saga in sagas.items()
                for file in sorted(corpus.of(saga).glob("*.jsonl"))
            ]
            metafunc.parametrize(("saga", "history"), files)
        elif "saga" in metafunc.fixturenames:
            metafunc.parametrize("saga", sagas.values(), ids=sagas)
        if "corpus" in metafunc.fixturenames:
            metafunc.parametrize("corpus", [corpus], ids=[corpus.service.name])

    return generate


def asked(saga: Saga[Any], facts: dict[str, Any]) -> str:
    """All that a definition says, as text that can be compared."""
    known = saga.facts.model_validate(facts)
    lines = [f"{saga.name} {saga.version}, no return after {saga.no_return}"]
    for step in saga.steps:
        lines += ["", f"{step.name}, within {step.timeout}, {_retries(step)}"]
        lines += ["  one after the other"] if step.in_order else []
        lines += [f"  wait  {_awaited(known, wait)}" for wait in (step.waits,) if wait]
        lines += [f"  check {_condition(of)}" for of in (step.checks(known) if step.checks else ())]
        lines += [f"  do    {_text(action)}" for action in step.act(known)]
        lines += [f"  undo  {_text(action)}" for action in step.undo(known, "a reason")]
    return "\n".join(lines) + "\n"


def _awaited(known: Facts, wait: Wait[Any]) -> str:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    event = wait.event.__name__ if wait.event else "the moment"
    return f"for {event}, {wait.until(known, start) - start}"


def _condition(check: Check) -> str:
    require: Any = check.require
    rule, given = getattr(require, "func", require), getattr(require, "args", ())
    return f"{check.stream}: {rule.__name__}{given}"


def _retries(step: Step[Any]) -> str:
    """The retries of a step as they were frozen, when they had a class of their own."""
    first, longest = (timedelta(seconds=s) for s in (step.retries.first, step.retries.most))
    return f"Retries({first=!r}, factor=2, {longest=!r}, alert_after={step.alert_after})"


def _text(action: Action) -> str:
    """The action as it was frozen: ``Dispatch`` had another name then."""
    return re.sub(r"^Dispatch\(", "Tell(", str(action))


def line(recorded: RecordedEvent) -> str:
    """One event of a history."""
    told = {
        "type": recorded.type,
        "schema_version": recorded.metadata.schema_version,
        "at": recorded.occurred_at.isoformat(),
        "data": json.loads(recorded.data),
    }
    return json.dumps(told)
