"""Persistent subscriptions: what a group does with its consumers and its stream."""

from collections.abc import Mapping
from typing import Final

from conformance.node import Node
from conformance.requests.groups import (
    Consumer,
    checkpoint_stream,
    consume,
    consume_by,
    create,
    groups_of,
    info,
    parked_stream,
    remove,
    replay,
    update,
)
from conformance.requests.reads import RESOLVED, events, of_stream, read
from conformance.requests.streams import append, delete, event, ten, tombstone
from conformance.scenarios import Answers, asks

_NEVER_MS: Final = 60_000


async def _group(node: Node, name: str, **settings: object) -> str:
    """A new group. Unless it is about timeouts, none passes while a scenario waits patiently."""
    group = node.fresh("g")
    await create(node, name, group, "start", **{"messageTimeoutMs": _NEVER_MS, **settings})
    return group


@asks
async def group_flow(node: Node) -> Answers:
    """One consumer: the buffer, acks, each kind of nack, its info, parking, replaying."""
    name, group = await ten(node), node.fresh("g")
    yield "create", await create(node, name, group, extraStatistics=True)
    consumer = await consume(node, name, group, buffer=4)
    async with consumer.call:
        yield "first", await consumer.events(4)
        await consumer.call.quiet()
        yield "no more than the buffer", len(consumer.ids)
        await consumer.ack(*consumer.ids[:2])
        yield "then", len(await consumer.events(6))
        for action, one in zip(
            ("Park", "Retry", "Skip", "Unknown"), consumer.ids[2:6], strict=False
        ):
            await consumer.nack(action, one)
        await consumer.call.quiet()
        yield "after nacks", consumer.call.heard[5:]
        for label, answer in _information(await info(node, name, group)):
            yield label, answer
        await consumer.ack(*consumer.ids[6:])
        await consumer.call.quiet()
        parked = of_stream(parked_stream(name, group))
        yield "parked stream", await events(node, parked, count=10)
        yield "parked resolved", await read(node, parked, RESOLVED, count=10)
        checkpoints = of_stream(checkpoint_stream(name, group))
        yield "checkpoint stream", (await events(node, checkpoints, count=3))[-1:]
        before = len(consumer.ids)
        yield "replay", await replay(node, name, group)
        yield "replayed", (await consumer.events(before + 1))[before + 1 :]


def _information(answer: object) -> list[tuple[str, object]]:
    """What differs with the moment is ``…``."""
    fields = answer.get("subscriptionInfo") if isinstance(answer, Mapping) else None
    if not isinstance(fields, Mapping):
        return [("info", answer)]
    connection = (fields.get("connections") or [{}])[0]
    shown = ("username", "availableSlots", "inFlightMessages")
    hidden = ("connections", "averagePerSecond", "totalItems", "countSinceLastMeasurement")
    measured = connection.get("observedMeasurements", [])
    return [
        ("info keys", sorted(fields)),
        ("info", {key: "…" if key in hidden else value for key, value in fields.items()}),
        ("connection", {key: v if key in shown else "…" for key, v in connection.items()}),
        ("measurements", [one["key"] for one in measured]),
    ]


@asks
async def group_stop_action(node: Node) -> Answers:
    """A nack that asks to stop: does the consumer go on, and what does the next one get?"""
    name = await ten(node)
    group = await _group(node, name)
    consumer = await consume(node, name, group, buffer=3)
    async with consumer.call:
        await consumer.events(3)
        await consumer.nack("Stop", consumer.ids[0])
        await consumer.call.quiet()
        yield "end", consumer.call.end
        yield "got", len(consumer.ids)
    following = await consume(node, name, group, buffer=3)
    async with following.call:
        yield "next consumer", await following.events(3)


@asks
async def group_deleted_while_connected(node: Node) -> Answers:
    """A consumer of a group that is deleted."""
    name = await ten(node)
    group = await _group(node, name)
    consumer = await consume(node, name, group, buffer=3)
    async with consumer.call:
        await consumer.events(3)
        yield "delete", await remove(node, name, group)
        await consumer.call.ends()
        yield "consumer", consumer.call.end


@asks
async def group_updated_while_connected(node: Node) -> Answers:
    """A consumer of a group that is updated."""
    name = await ten(node)
    group = await _group(node, name)
    consumer = await consume(node, name, group, buffer=3)
    async with consumer.call:
        await consumer.events(3)
        yield "update", await update(node, name, group)
        await consumer.call.ends()
        yield "consumer", consumer.call.end


@asks
async def group_full(node: Node) -> Answers:
    """A second consumer of a group that takes one."""
    name = await ten(node)
    group = await _group(node, name, maxSubscriberCount=1)
    first = await consume(node, name, group)
    async with first.call:
        await first.events(1)
        second = await consume(node, name, group)
        async with second.call:
            await second.call.ends()
            yield "second", [second.call.heard, second.call.end]


@asks
async def group_times_out(node: Node) -> Answers:
    """A consumer that never answers."""
    name = node.fresh("s")
    await append(node, name, [event("A")])
    group = await _group(node, name, messageTimeoutMs=300, maxRetryCount=1)
    consumer = await consume(node, name, group)
    parked = of_stream(parked_stream(name, group))

    async def is_parked() -> bool:
        return "$>" in str(await events(node, parked, count=10))

    async with consumer.call:
        await node.until(is_parked)
        yield "got", consumer.call.heard
        yield "parked", await events(node, parked, count=10)


@asks
async def group_odd_answers(node: Node) -> Answers:
    """Acks and nacks of undelivered events, of nothing, twice, and of invalid ids."""
    name = await ten(node)
    group = await _group(node, name)
    unknown = "00000000-0000-4000-8000-000000000001"
    consumer = await consume(node, name, group, buffer=3)
    async with consumer.call:
        await consumer.events(3)
        await consumer.ack(unknown)
        await consumer.nack("Park", unknown)
        await consumer.ack()
        await consumer.ack(consumer.ids[0])
        await consumer.ack(consumer.ids[0])
        yield "goes on", len(await consumer.events(4))
        yield "end", consumer.call.end
        await consumer.ack("not-an-id")
        await consumer.call.quiet()
        yield "not an id", consumer.call.end
    for size in (0, -1):
        odd = await consume(node, name, group, buffer=size)
        async with odd.call:
            await odd.call.quiet()
            yield f"buffer {size}", [odd.call.heard[:3], odd.call.end]


@asks
async def group_on_links(node: Node) -> Answers:
    """A group that resolves links, some of which lead nowhere."""
    target, links, gone = await ten(node), node.fresh("links"), node.fresh("gone")
    await append(node, gone, [event("G")])
    places = (f"3@{target}", f"0@{gone}", f"99@{target}", f"4@{target}")
    await append(node, links, [event("$>", place) for place in places])
    await delete(node, gone)
    group = await _group(node, links, resolveLinks=True)
    consumer = await consume(node, links, group)
    async with consumer.call:
        yield "got", await consumer.events(4)


@asks
async def group_from_end_and_beyond(node: Node) -> Answers:
    """Groups from the end, from the last event, and from beyond it, and an event that follows."""
    for label, start in (("end", "end"), ("last", 9), ("one beyond", 10), ("beyond", 50)):
        name, group = await ten(node), node.fresh("g")
        await create(node, name, group, start, messageTimeoutMs=_NEVER_MS)
        consumer = await consume(node, name, group)
        async with consumer.call:
            await consumer.call.quiet()
            await append(node, name, [event("New")])
            await consumer.call.quiet()
            yield label, consumer.call.heard


@asks
async def group_of_deleted_stream(node: Node) -> Answers:
    """A group on a stream that is deleted, tombstoned or truncated before a consumer connects."""
    soft, tomb, truncated = await ten(node), await ten(node), await ten(node)
    groups = [await _group(node, name) for name in (soft, tomb, truncated)]
    await delete(node, soft)
    consumer = await consume(node, soft, groups[0])
    async with consumer.call:
        await consumer.call.quiet()
        await append(node, soft, [event("New")])
        yield "soft", await _heard(consumer)
    await tombstone(node, tomb)
    consumer = await consume(node, tomb, groups[1])
    async with consumer.call:
        yield "tomb", await _heard(consumer)
    await append(node, f"$${truncated}", [event("$metadata", '{"$maxCount":2}')])
    consumer = await consume(node, truncated, groups[2])
    async with consumer.call:
        yield "truncated", await _heard(consumer)


@asks
async def group_two_connections_and_loss(node: Node) -> Answers:
    """Two consumers share six events; one disconnects without an ack."""
    name = node.fresh("s")
    group = await _group(node, name, messageTimeoutMs=30_000)
    a, b = await consume(node, name, group), await consume(node, name, group)
    async with b.call:
        async with a.call:
            await a.call.count(1)
            await b.call.count(1)
            await append(node, name, [event(str(number)) for number in range(6)])
            await a.events(3)
            yield "a", a.call.heard
            yield "b", await b.events(3)
        yield "b after a is gone", (await b.events(6))[4:]


@asks
async def group_not_there(node: Node) -> Answers:
    """Every call about a group that does not exist."""
    name = await ten(node)
    yield "delete", await remove(node, name, "nope")
    yield "info", await info(node, name, "nope")
    yield "replay", await replay(node, name, "nope")
    yield "update", await update(node, name, "nope")
    yield "list for stream", await groups_of(node, name)
    consumer = await consume(node, name, "nope")
    async with consumer.call:
        await consumer.call.ends()
        yield "read", [consumer.call.heard, consumer.call.end]
    consumer = await consume_by(node, {"options": {}})
    async with consumer.call:
        await consumer.call.ends()
        yield "read nothing", [consumer.call.heard, consumer.call.end]


async def _heard(consumer: Consumer) -> object:
    await consumer.call.quiet()
    return [consumer.call.heard, consumer.call.end]
