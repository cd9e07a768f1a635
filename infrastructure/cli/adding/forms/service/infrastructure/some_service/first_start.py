"""The first start on a store of its own records examples, so that a query finds something."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from application.messages import Context
from domain.some_aggregates import OpenSomeAggregate
from infrastructure.cli.printing import Console
from infrastructure.container import Container

NAMES: Final = ("Ada", "Barbara", "Grace")


async def record_examples(container: Container, _: Path, console: Console) -> None:
    """Record them. A repeated command adds nothing, so every start may do it again."""
    dispatch = container.dispatch()
    for name in NAMES:
        id = uuid5(NAMESPACE_OID, f"example {name}")
        context = Context.start("first start", id, datetime.now(UTC))
        outcome = await dispatch(name.lower(), OpenSomeAggregate(name=name), context)
        if outcome.events:
            console.print(f"recorded an example: some aggregate {name.lower()}")
