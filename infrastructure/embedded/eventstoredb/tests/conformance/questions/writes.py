"""Writes at the edges: given up, as large as may be, and a version that means none."""

import asyncio
from collections.abc import Mapping
from typing import Final

from esdbclient.protos.Grpc import streams_pb2

from conformance.node import Node
from conformance.normal_form import NO_POSITION, message
from conformance.requests.batches import append_many, batch, batches
from conformance.requests.fields import filled
from conformance.requests.reads import events, of_stream, read
from conformance.requests.streams import append, append_options, delete, event, tombstone
from conformance.scenarios import Answers, asks, asks_alone

_LIMIT: Final = 2**20  # bytes of data in one append
_MANY: Final = 45_000  # events: more than the server remembers the ids of


@asks
async def append_given_up(node: Node) -> Answers:
    """A client that has sent an event, and disconnects before it ends the call."""
    name = node.fresh("s")
    method, answer = "streams.Streams/Append", streams_pb2.AppendResp
    async with node.converse(method, answer, message) as call:
        await call.say(filled(streams_pb2.AppendReq(), append_options(name, "any")))
        await call.say(filled(streams_pb2.AppendReq(), {"proposedMessage": event()}))
        yield "before", await call.quiet()
    await asyncio.sleep(node.patience.quiet)
    yield "there", await read(node, of_stream(name), count=1)


@asks
async def version_that_means_none(node: Node) -> Answers:
    """The largest revision there is, which some clients send for *no stream*."""
    there = node.fresh("s")
    await append(node, there, [event()])
    yield "missing", await append(node, node.fresh("m"), [event()], NO_POSITION)
    yield "there", await append(node, there, [event()], NO_POSITION)
    yield "batch missing", await batches(node, batch(node.fresh("m"), [event()], NO_POSITION))
    yield "batch there", await batches(node, batch(there, [event()], NO_POSITION))
    yield "delete", await delete(node, there, NO_POSITION)
    yield "tombstone missing", await tombstone(node, node.fresh("m"), NO_POSITION)


@asks
async def data_alone_counts(node: Node) -> Answers:
    """An append of exactly the limit in data, beside 3 MB of metadata, and of a byte more."""
    exactly, more, large = b"x" * _LIMIT, b"x" * (_LIMIT + 1), b"x" * (3 * 2**20)
    halves = [event(data=b"x" * (_LIMIT // 2)), event(data=b"x" * (_LIMIT // 2))]
    yield "exactly", await append(node, node.fresh("s"), [event(data=exactly, meta=large)])
    yield "more", await append(node, node.fresh("s"), [event(data=more)])
    yield "in sum", await append(node, node.fresh("s"), halves)
    by_batch = batch(node.fresh("s"), [event(data=exactly, meta=large)])
    yield "batch exactly", await batches(node, by_batch)
    yield "batch more", await batches(node, batch(node.fresh("s"), [event(data=more)]))
    huge = await append(node, node.fresh("s"), [event(meta=b"x" * 2**24)])
    assert isinstance(huge, Mapping)
    yield "one message above 16 MB", huge.get("FAULT", huge)


@asks_alone
async def ids_forgotten(node: Node) -> Answers:
    """An event again after so many others that the server remembers its id no more."""
    by_any, by_none, one = node.fresh("s"), node.fresh("s"), event("A")
    await append(node, by_any, [one])
    await append(node, by_none, [one], "none")
    noise = f"$noise-{node.run}"  # no system projection links what is in streams of the system
    for _ in range(_MANY // 3000):
        await append_many(node, noise, 3000)
    yield "any", await append(node, by_any, [one])
    yield "none", await append(node, by_none, [one], "none")
    yield "there by any", len(await events(node, of_stream(by_any), count=5))
    yield "there by none", len(await events(node, of_stream(by_none), count=5))
