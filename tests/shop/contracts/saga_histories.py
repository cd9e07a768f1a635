"""Recorded histories of every released version of a saga, and what its steps asked for then.

    python -m tests.shop.contracts.saga_histories        writes what is missing

Nothing there is ever overwritten: a changed definition is a new version, with histories of its own.
"""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from application.messages import RecordedEvent
from application.sagas.actions import Action
from application.sagas.saga import Check, Facts, Saga, Step, Wait
from application.shop.sagas.goods_exchange import goods_exchange
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.service import SHOP
from domain.exchanges import CloseExchange, ReceiveGoods
from domain.orders import CancelOrder
from infrastructure.providers.simulated import Fault
from tests.shop.application.sagas.exchange_world import EXCHANGE, delivered
from tests.shop.application.sagas.world import World

CORPUS = Path(__file__).parent / "sagas"

FULFILMENTS: Mapping[str, Sequence[Fault]] = {
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
EXCHANGES: Mapping[str, Sequence[Fault]] = {
    "completed": (),
    "given back": (),
    "cancelled": (),
    "out of stock": (),
    "expired": (),
    "came too late": (),
    "not sent": (),
    "declined": (Fault(kind="decline", call="authorise"),),
    "delayed": (Fault(kind="unavailable", call="capture", times=30),),
}
STORIES = {order_fulfilment.name: FULFILMENTS, goods_exchange.name: EXCHANGES}
"""By saga, what happens to one, and the faults that bring it about."""


def home(saga: Saga[Any]) -> Path:
    """Where the histories of one version are."""
    return CORPUS / saga.name / str(saga.version)


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
        "at": recorded.metadata.occurred_at.isoformat(),
        "data": json.loads(recorded.data),
    }
    return json.dumps(told)


async def _fulfilment(name: str) -> Sequence[RecordedEvent]:
    world = World(*FULFILMENTS[name])
    await world.receive(a=10, b=10)
    await world.place(a=2, b=3)
    await world.settle()
    if name == "cancelled":
        await world.tell("o-1", CancelOrder(reason="found it elsewhere"))
        await world.settle()
    return world.recorded("order_fulfilment-o-1")


async def _exchange(name: str) -> Sequence[RecordedEvent]:
    world = await delivered(*EXCHANGES[name])
    world.goods_come = name not in ("expired", "came too late", "cancelled")
    world.it_is_sent = name != "not sent"
    price = "1 GBP" if name == "given back" else "4 GBP"
    await world.exchange(price, quantity=4 if name == "out of stock" else 1)
    await world.engines_settle()
    if name == "cancelled":
        await world.tell(EXCHANGE, CloseExchange(reason="found it elsewhere"))
    if name == "came too late":
        await world.wait_out()
        await world.tell(EXCHANGE, ReceiveGoods())
    await world.settle()
    return world.recorded(f"goods_exchange-{EXCHANGE}")


HAPPENING: Mapping[str, Callable[[str], Coroutine[Any, Any, Sequence[RecordedEvent]]]] = {
    order_fulfilment.name: _fulfilment,
    goods_exchange.name: _exchange,
}


def freeze() -> None:
    """Write the histories of the newest version of each saga, unless they are there."""
    for name, versions in SHOP.versions.items():
        _freeze(list(versions.values())[-1], STORIES[name], HAPPENING[name])


def _freeze(saga: Saga[Any], stories: Iterable[str], happen: Callable[[str], Any]) -> None:
    newest = home(saga)
    newest.mkdir(parents=True, exist_ok=True)
    for story in stories:
        if not (file := newest / f"{story}.jsonl").exists():
            history = asyncio.run(happen(story))
            file.write_text("\n".join(map(line, history)) + "\n")
            print("froze", file.relative_to(CORPUS))
    if not (file := newest / "asked.txt").exists():
        first = json.loads((newest / "completed.jsonl").read_text().splitlines()[0])
        file.write_text(asked(saga, first["data"]["facts"]))
        print("froze", file.relative_to(CORPUS))


if __name__ == "__main__":
    freeze()
