"""Persistent subscriptions that begin again: what a group remembers, and what it has lost.

To begin again it is enough that the subsystem is restarted: a server that is does the same.
"""

import re

from conformance.node import Node
from conformance.requests.groups import (
    checkpoint_stream,
    consume,
    create,
    create_on_all,
    parked_stream,
    replay,
    restart,
    update,
)
from conformance.requests.reads import by_type, events, of_stream
from conformance.requests.streams import append, event, position_of, ten
from conformance.scenarios import Answers, asks_alone


@asks_alone
async def group_forgets_acks(node: Node) -> Answers:
    """Nine of ten events acknowledged, a checkpoint due at ten, then an update, or a restart."""
    for label, again in (("update", update), ("restart", restart)):
        name, group = await ten(node), node.fresh("g")
        await create(node, name, group, minCheckpointCount=10)
        first = await consume(node, name, group)
        async with first.call:
            await first.events(10)
            await first.ack(*first.ids[:9])
            await first.call.quiet()
        await again(node, name, group)
        yield f"after {label}", await _delivered(node, name, group)


@asks_alone
async def group_remembers_checkpoints(node: Node) -> Answers:
    """The same when a checkpoint is due at each event, and was written."""
    name, group = await ten(node), node.fresh("g")
    await create(node, name, group)
    first = await consume(node, name, group)
    async with first.call:
        await first.events(10)
        await first.ack(*first.ids[:9])
        await _holds(node, checkpoint_stream(name, group), '"8"')
    await restart(node, name, group)
    yield "after restart", await _delivered(node, name, group)


@asks_alone
async def group_from_the_end_again(node: Node) -> Answers:
    """A group from the end without a checkpoint, an event, a restart: does the event come?"""
    name, group = await ten(node), node.fresh("g")
    await create(node, name, group, "end")
    await append(node, name, [event("Missed")])
    await restart(node, name, group)
    consumer = await consume(node, name, group)
    async with consumer.call:
        await consumer.call.quiet()
        await append(node, name, [event("New")])
        await consumer.events(1)
        yield "", consumer.call.heard


@asks_alone
async def group_replay_forgets(node: Node) -> Answers:
    """A parked event that is replayed, and not acknowledged yet: is it still parked?"""
    name, group = await ten(node), node.fresh("g")
    await create(node, name, group)
    parked = parked_stream(name, group)
    consumer = await consume(node, name, group, buffer=20)
    async with consumer.call:
        await consumer.events(10)
        await consumer.nack("Park", consumer.ids[3])
        await _holds(node, parked, "$>")
        await replay(node, name, group)
        await _holds(node, f"$${parked}", "$tb")
        yield "replayed", (await consumer.events(11))[11:]
        yield "parked", await events(node, of_stream(parked), count=5)
        yield "metadata", await events(node, of_stream(f"$${parked}"), count=5)


@asks_alone
async def group_on_all_loses(node: Node) -> Answers:
    """Ten events while no consumer is connected, others, a restart, one more: which are
    delivered?
    """
    category, wanted = f"lost{node.run}", f"W{node.run}"
    name, links, group = f"{category}-1", f"$ce-{category}", node.fresh("g")
    await create_on_all(node, group, by_type(wanted))
    await create(node, links, group, resolveLinks=True)
    await create(node, name, group)
    await append(node, name, [event(wanted) for _ in range(9)])
    last, _ = await position_of(node, name, wanted)
    await append(node, node.fresh("other"), [event("Other") for _ in range(100)])
    await node.until(lambda: _has_passed(node, group, last))
    await _holds(node, links, "@9")
    await restart(node, name, group)
    await append(node, name, [event(wanted)])
    for label, source in (("filtered", "$all"), ("its category", links), ("its stream", name)):
        consumer = await consume(node, source, group, buffer=20)
        async with consumer.call:
            heard = await consumer.call.until(lambda heard: f"10 {wanted}" in str(heard))
            yield label, [one[0] for one in heard if isinstance(one, list)]


async def _has_passed(node: Node, group: str, position: int) -> bool:
    """Whether the checkpoint of a group on ``$all`` is there or beyond."""
    checkpoints = await events(node, of_stream(checkpoint_stream("$all", group)), count=1000)
    found = re.findall(r"C:(\d+)", str(checkpoints[-1:]))
    return any(int(commit) >= position for commit in found)


async def _delivered(node: Node, name: str, group: str) -> list[object]:
    """Version and type of each event that the next consumer gets, with its retry count."""
    consumer = await consume(node, name, group, buffer=20)
    async with consumer.call:
        await consumer.call.quiet()
        return consumer.call.heard


async def _holds(node: Node, name: str, text: str) -> None:
    """Waits for an event in the stream."""

    async def does() -> bool:
        return text in str(await events(node, of_stream(name), count=1000))

    await node.until(does)
