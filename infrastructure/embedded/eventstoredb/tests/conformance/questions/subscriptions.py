"""Catch-up subscriptions to a stream: where they begin, what comes live, what ends them."""

from functools import partial

from conformance.node import Node
from conformance.requests.reads import (
    BACKWARDS,
    Start,
    by_type,
    heard_live,
    kind,
    of_stream,
    subscribed,
)
from conformance.requests.streams import append, delete, event, ten, tombstone
from conformance.scenarios import Answers, asks


@asks
async def subscribe_stream(node: Node) -> Answers:
    """From each kind of start: what is there, then an event that is appended meanwhile."""
    yield "missing stream", await _then_later(node, node.fresh("m"), "start")
    for label, start in (("end", "end"), ("after 8", 8), ("after the last", 9)):
        yield label, await _then_later(node, await ten(node), start)
    for label, start in (("beyond the end", 50), ("one beyond", 10)):
        yield label, await _then_later(node, await ten(node), start, comes=False)


@asks
async def subscribe_stream_deleted(node: Node) -> Answers:
    """Streams that are deleted or truncated, before and while they are subscribed to."""
    deleted, tombstoned, live_tombstoned = await ten(node), await ten(node), await ten(node)
    live_deleted, truncated = await ten(node), await ten(node)
    await delete(node, deleted)
    yield "deleted", await _then_later(node, deleted, "start")
    await tombstone(node, tombstoned)
    yield "tombstoned", await subscribed(node, of_stream(tombstoned))
    yield (
        "tombstone while live",
        await heard_live(
            node, of_stream(live_tombstoned, 8), meanwhile=partial(tombstone, node, live_tombstoned)
        ),
    )

    async def delete_and_go_on() -> None:
        await delete(node, live_deleted)
        await append(node, live_deleted, [event("After")])

    yield (
        "delete while live",
        await heard_live(
            node, of_stream(live_deleted, 8), meanwhile=delete_and_go_on, until="After"
        ),
    )
    await append(node, f"$${truncated}", [event("$metadata", '{"$maxCount":2}')])
    yield "truncated", await _then_later(node, truncated, "start")


@asks
async def subscribe_stream_oddly(node: Node) -> Answers:
    """Options that a subscription to a stream does not have."""
    name = await ten(node)
    yield "backwards", await subscribed(node, of_stream(name), BACKWARDS)
    yield "filter", (await subscribed(node, of_stream(name), by_type("A")))[:3]


@asks
async def subscribe_caught_up_then_live(node: Node) -> Answers:
    """When a subscription is reported as caught up."""
    name = await ten(node)

    async def three_more() -> None:
        for _ in range(3):
            await append(node, name, [event("Live")])

    heard = await heard_live(node, of_stream(name), meanwhile=three_more, until=f"{name}@12")
    yield "", [kind(one) for one in heard]


async def _then_later(node: Node, name: str, start: Start, *, comes: bool = True) -> list[object]:
    later = partial(append, node, name, [event("Later")])
    until = "Later" if comes else ""
    return await heard_live(node, of_stream(name, start), meanwhile=later, until=until)
