"""Recorded workflow histories of each released version of sagas.

Nothing there is ever overwritten: what replays another way comes behind ``workflow.patched``, and a
changed definition is a new version, with histories of its own.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory

from application.sagas.saga import Saga
from application.service import Service
from tests.infrastructure.temporal.skipping import connected, time_skipping_server

Story = Callable[[Client], Coroutine[Any, Any, WorkflowHistory]]
"""Lets something happen to one saga, and returns the history of its workflow."""


@dataclass(frozen=True)
class WorkflowCorpus:
    """Where the histories of a service are, and how they come about: by saga and by name."""

    home: Path
    service: Service[Any]
    stories: Mapping[str, Mapping[str, Story]]

    def of(self, saga: Saga[Any]) -> Path:
        """Where the histories of one version are."""
        return self.home / saga.name / str(saga.version)

    def histories(self) -> Sequence[Path]:
        """All of them."""
        return [one for saga in self.service.sagas for one in sorted(self.of(saga).glob("*.json"))]

    def freeze(self) -> None:
        """Write the histories of the newest version of each saga, unless they are there."""
        for name, stories in self.stories.items():
            home = self.of([*self.service.versions[name].values()][-1])
            home.mkdir(parents=True, exist_ok=True)
            for story, happens in stories.items():
                if not (file := home / f"{story}.json").exists():
                    file.write_text(_text(asyncio.run(_recorded(happens))))
                    print("froze", file.relative_to(self.home))


def history(file: Path) -> WorkflowHistory:
    """One of them."""
    document = json.loads(file.read_text())
    return WorkflowHistory.from_json(document["workflow"], document["history"])


async def _recorded(story: Story) -> WorkflowHistory:
    with time_skipping_server() as address:
        return await story(await connected(address))


def _text(recorded: WorkflowHistory) -> str:
    document = portable(json.loads(recorded.to_json()))
    events = ",\n".join(json.dumps(event, separators=(",", ":")) for event in document["events"])
    return f'{{"workflow":"{recorded.workflow_id}","history":{{"events":[\n{events}\n]}}}}\n'


def portable(document: Any) -> Any:
    """The same without the name of a machine and without paths on it, which no replay looks at."""
    if isinstance(document, list):
        return [portable(one) for one in document]
    if not isinstance(document, dict):
        return document
    kept = {name: portable(value) for name, value in document.items() if name != "stackTrace"}
    return {**kept, "identity": "a worker"} if "identity" in kept else kept
