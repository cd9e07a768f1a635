"""BatchAppend: what differs from Append, several batches in one call, batches in parts."""

from uuid import uuid4

from conformance.node import Node
from conformance.requests.batches import batch, batches, rest, sent_and_closed
from conformance.requests.reads import events, of_stream, read
from conformance.requests.streams import append, event
from conformance.scenarios import Answers, asks


@asks
async def batch_expected_versions(node: Node) -> Answers:
    """A batch to no stream, and to one of three events, with each kind of expectation."""
    for version in ("none", "exists", 0, 5):
        request = batch(node.fresh("missing"), [event()], version)
        yield f"missing/{version}", await batches(node, request)
    three = node.fresh("three")
    await append(node, three, [event(), event(), event()])
    for version in ("none", 0, 1, 7):
        yield f"three/{version}", await batches(node, batch(three, [event()], version))
    for version in (2, "exists", "any"):
        yield f"three/{version} ok", await batches(node, batch(three, [event()], version))


@asks
async def batch_in_parts(node: Node) -> Answers:
    """Batches that come in parts, one after the other and woven into each other."""
    name, id_ = node.fresh("s"), str(uuid4())
    yield (
        "two parts",
        await batches(
            node,
            batch(name, [event("A")], final=False, part_of=id_, label="p"),
            rest(id_, [event("B")], "p"),
        ),
    )
    yield "there", await events(node, of_stream(name), count=5)

    a, b, one, two = node.fresh("a"), node.fresh("b"), str(uuid4()), str(uuid4())
    yield (
        "woven",
        await batches(
            node,
            batch(a, [event("A")], final=False, part_of=one, label="1"),
            batch(b, [event("B")], final=False, part_of=two, label="2"),
            rest(two, [event("C")], "2"),
            rest(one, [event("D")], "1"),
        ),
    )
    yield "woven there", [await events(node, of_stream(name), count=5) for name in (a, b)]

    first, second, id_ = node.fresh("s"), node.fresh("t"), str(uuid4())
    yield (
        "options twice",
        await batches(
            node,
            batch(first, [event("A")], final=False, part_of=id_, label="p"),
            batch(second, [event("B")], part_of=id_, label="p"),
        ),
    )
    there = [await read(node, of_stream(name), count=5) for name in (first, second)]
    yield "options twice there", there

    name, id_ = node.fresh("s"), str(uuid4())
    yield (
        "id again",
        await batches(
            node,
            batch(name, [event("A")], part_of=id_, label="p"),
            batch(name, [event("B")], part_of=id_, label="p"),
            answers=2,
        ),
    )


@asks
async def batch_deadlines(node: Node) -> Answers:
    """Deadlines of a batch, as a duration and as a time, that are over already and not."""
    for label, deadline in (("zero", "0s"), ("negative", "-5s"), ("a second", "1s")):
        request = batch(node.fresh("s"), [event()], deadline=deadline)
        yield label, await batches(node, request)
    past = batch(node.fresh("s"), [event()], deadline_21_10_0="2020-01-01T00:00:00Z")
    yield "stamp past", await batches(node, past)


@asks
async def batch_refusals_go_on(node: Node) -> Answers:
    """Batches that are refused, among others in one call."""
    name = node.fresh("s")
    await append(node, name, [event()])
    yield (
        "",
        await batches(
            node,
            batch(name, [event()], "none", label="refused"),
            batch(name, [event()], 0, label="fine"),
            batch("$all", [event()], label="all"),
            batch(node.fresh("t"), [event()], label="also fine"),
        ),
    )


@asks
async def batch_then_close(node: Node) -> Answers:
    """A client that half-closes after its last request: do the answers still come?"""
    name = node.fresh("s")
    yield "answers", await sent_and_closed(node, [batch(name, [event()]) for _ in range(20)])
    yield "written", len(await events(node, of_stream(name), count=50))
