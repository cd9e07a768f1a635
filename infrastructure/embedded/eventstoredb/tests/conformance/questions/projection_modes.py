"""Projections that end: those that run once, and those that are disabled."""

from conformance.node import Node
from conformance.requests.projections import (
    Asked,
    create,
    disable,
    in_mode,
    settled,
    statuses,
)
from conformance.requests.streams import ten
from conformance.scenarios import Answers, asks_alone


@asks_alone
async def projection_modes(node: Node) -> Answers:
    """Status, mode and progress of a projection that runs over what is there, and no further."""
    query = f"fromStream('{await ten(node)}').when({{$any: function(s, e) {{ return {{ok: 1}} }}}})"
    transient = node.fresh("p")
    await create(node, transient, Asked(query, mode="transient"))
    await settled(node, transient, "Completed")
    yield "transient", await in_mode(node, "transient")
    await create(node, "", Asked(query, mode="oneTime"))
    await settled(node, "", "Completed", mode="oneTime")
    yield "one time", await in_mode(node, "oneTime")


@asks_alone
async def projection_disabled(node: Node) -> Answers:
    """A projection that is disabled, with a checkpoint and without."""
    query = f"fromStream('{await ten(node)}').when({{$any: function(s, e) {{ return {{ok: 1}} }}}})"
    for label, checkpoint in (("with a checkpoint", True), ("without", False)):
        name = node.fresh("p")
        await create(node, name, Asked(query))
        await settled(node, name, "Running")
        await disable(node, name, checkpoint=checkpoint)
        await settled(node, name, "Stopped")
        yield label, await statuses(node, name)
