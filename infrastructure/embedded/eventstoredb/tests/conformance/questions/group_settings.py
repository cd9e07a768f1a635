"""Persistent subscriptions: which settings and names are taken."""

from conformance.node import Node
from conformance.requests.groups import create, create_on_all
from conformance.requests.reads import by_type
from conformance.requests.streams import ten
from conformance.scenarios import Answers, asks


@asks
async def group_settings(node: Node) -> Answers:
    """One setting at a time that is unusual."""
    name = await ten(node)
    for label, settings in (
        ("max retry -1", {"maxRetryCount": -1}),
        ("timeout 0", {"messageTimeoutMs": 0}),
        ("timeout -1", {"messageTimeoutMs": -1}),
        ("checkpoint after 0", {"checkpointAfterMs": 0}),
        ("min > max", {"minCheckpointCount": 50, "maxCheckpointCount": 5}),
        ("min 0", {"minCheckpointCount": 0}),
        ("max checkpoint 0", {"maxCheckpointCount": 0}),
        ("live buffer 0", {"liveBufferSize": 0}),
        ("read batch 0", {"readBatchSize": 0}),
        ("history 0", {"historyBufferSize": 0}),
        ("batch >= history", {"readBatchSize": 100, "historyBufferSize": 100}),
        ("batch > history", {"readBatchSize": 101, "historyBufferSize": 100}),
        ("history 10 batch 10", {"readBatchSize": 10, "historyBufferSize": 10}),
        ("subscribers -1", {"maxSubscriberCount": -1}),
        ("strategy unknown", {"consumerStrategy": "Nope"}),
        ("strategy empty", {"consumerStrategy": ""}),
        ("strategy lower", {"consumerStrategy": "roundrobin"}),
        ("live buffer 5 batch 10", {"liveBufferSize": 5}),
    ):
        yield label, await create(node, name, node.fresh("g"), **settings)


@asks
async def group_names(node: Node) -> Answers:
    """Groups and streams with unusual, missing or existing names."""
    name, group, on_all = await ten(node), node.fresh("g"), node.fresh("g")
    yield "empty group", await create(node, name, "")
    yield "group with ::", await create(node, name, f"a::b{node.run}")
    yield "on $all name", await create(node, "$all", node.fresh("g"))
    yield "empty stream", await create(node, "", node.fresh("g"))
    yield "missing stream", await create(node, node.fresh("m"), node.fresh("g"))
    yield "from revision", await create(node, name, node.fresh("g"), 5)
    await create(node, name, group)
    yield "again", await create(node, name, group)
    yield "all twice", [await create_on_all(node, f"all{on_all}") for _ in range(2)]
    no_window, broken = by_type("x", window=0), by_type(regex="(")
    yield "all filter window 0", await create_on_all(node, node.fresh("g"), no_window)
    yield "all broken regex", await create_on_all(node, node.fresh("g"), broken)
