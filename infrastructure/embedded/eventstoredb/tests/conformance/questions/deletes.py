"""Soft and hard deletes, with each expectation, of streams that are there or not."""

from conformance.node import Node
from conformance.requests.reads import events, of_stream
from conformance.requests.streams import append, delete, event, tombstone
from conformance.scenarios import Answers, asks


@asks
async def deleting(node: Node) -> Answers:
    """Deleting a missing, an existing, a deleted and an invalid stream."""
    for word, remove in (("delete", delete), ("tombstone", tombstone)):
        for version in ("any", "none", "exists", 0, 5):
            yield f"{word} missing/{version}", await remove(node, node.fresh("m"), version)
            one = await _one_event(node, "one")
            yield f"{word} one/{version}", await remove(node, one, version)
            yield f"{word} one/{version} again", await remove(node, one)
        soft = await _one_event(node, "soft")
        await delete(node, soft)
        yield f"{word} soft", await remove(node, soft)
        yield f"{word} $all", await remove(node, "$all")
        yield f"{word} empty", await remove(node, "")
    one = await _one_event(node, "one")
    await delete(node, one)
    yield "metadata after delete", await events(node, of_stream(f"$${one}"), count=5)
    yield "delete metadata stream", await delete(node, f"$${one}")


async def _one_event(node: Node, label: str) -> str:
    name = node.fresh(label)
    await append(node, name, [event()])
    return name
