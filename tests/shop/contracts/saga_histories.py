"""Recorded histories of every released version of a saga, and what its steps asked for then.

    python -m tests.shop.contracts.saga_histories        writes what is missing

Nothing there is ever overwritten: a changed definition is a new version, with histories of its own.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from application.messages import RecordedEvent
from application.sagas.actions import Action
from application.sagas.saga import Saga, Step
from application.shop.service import SHOP
from domain.orders import CancelOrder
from infrastructure.providers.simulated import Fault
from tests.shop.application.sagas.world import World

CORPUS = Path(__file__).parent / "sagas"

STORIES: dict[str, Sequence[Fault]] = {
    "completed": (),
    "cancelled": (),
    "delayed": (Fault(kind="unavailable", call="book", times=3),),
    "declined": (Fault(kind="decline", call="authorise"),),
    "timed out": (Fault(kind="unavailable", call="capture", times=40),),
    "undone late": (
        Fault(kind="decline", call="book"),
        Fault(kind="unavailable", call="void", times=3),
    ),
}


def home(saga: Saga[Any]) -> Path:
    """Where the histories of one version are."""
    return CORPUS / saga.name / str(saga.version)


def asked(saga: Saga[Any], facts: dict[str, Any]) -> str:
    """All that a definition says, as text that can be compared."""
    known = saga.facts.model_validate(facts)
    lines = [f"{saga.name} {saga.version}, no return after {saga.no_return}"]
    for step in saga.steps:
        lines += ["", f"{step.name}, within {step.timeout}, {_retries(step)}"]
        lines += [f"  do    {_text(action)}" for action in step.act(known)]
        lines += [f"  undo  {_text(action)}" for action in step.undo(known, "a reason")]
    return "\n".join(lines) + "\n"


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
        "at": recorded.metadata.occurred_at.isoformat(),
        "data": json.loads(recorded.data),
    }
    return json.dumps(told)


async def _tell(name: str) -> Sequence[RecordedEvent]:
    world = World(*STORIES[name])
    await world.receive(a=10, b=10)
    await world.place(a=2, b=3)
    await world.settle()
    if name == "cancelled":
        await world.tell("o-1", CancelOrder(reason="found it elsewhere"))
        await world.settle()
    return world.recorded("order_fulfilment-o-1")


def freeze() -> None:
    """Write the histories of the newest version, unless they are there."""
    newest = home(SHOP.sagas[-1])
    newest.mkdir(parents=True, exist_ok=True)
    for name in STORIES:
        if not (file := newest / f"{name}.jsonl").exists():
            history = asyncio.run(_tell(name))
            file.write_text("\n".join(map(line, history)) + "\n")
            print("froze", file.relative_to(CORPUS))
    if not (file := newest / "asked.txt").exists():
        first = json.loads((newest / "completed.jsonl").read_text().splitlines()[0])
        file.write_text(asked(SHOP.sagas[-1], first["data"]["facts"]))
        print("froze", file.relative_to(CORPUS))


if __name__ == "__main__":
    freeze()
