"""Reading a stream: where reads begin and end, and the other messages of a read."""

from conformance.node import Node
from conformance.normal_form import NO_POSITION
from conformance.requests.fields import stream
from conformance.requests.reads import (
    BACKWARDS,
    by_type,
    events,
    of_stream,
    raw_events,
    read,
    subscribed,
)
from conformance.requests.streams import append, delete, event, ten
from conformance.scenarios import Answers, asks

_FORWARDS = {"readDirection": "Forwards"}


@asks
async def read_stream_bounds(node: Node) -> Answers:
    """Ten events, read from each kind of start, both ways, by each kind of count."""
    name = await ten(node)
    for start in ("start", "end", 0, 9, 10, 11, 2**63 - 1, 2**63, NO_POSITION):
        for way in (_FORWARDS, BACKWARDS):
            label = f"{start} {way['readDirection']}"
            yield label, await events(node, of_stream(name, start), way, count=2)
    yield "count 0", await events(node, of_stream(name), count=0)
    yield "no count", await events(node, of_stream(name))
    yield "count max", len(await events(node, of_stream(name), count=2**64 - 1))
    yield "count 2^63", len(await events(node, of_stream(name), count=2**63))


@asks
async def read_stream_oddly(node: Node) -> Answers:
    """Streams that are missing, options that are missing, and options of other reads."""
    name, missing = await ten(node), node.fresh("m")
    yield "missing", await events(node, of_stream(missing), count=1)
    yield "missing backwards", await events(node, of_stream(missing, "end"), BACKWARDS, count=1)
    no_revision = {"stream": {"streamIdentifier": stream(name)}}
    yield "no revision option", await events(node, no_revision, count=1)
    yield "no stream option", await events(node, count=1)
    yield "empty name", await events(node, of_stream(""), count=1)
    yield "$all as a stream", await events(node, of_stream("$all"), count=1)
    yield "filter on a stream", await events(node, of_stream(name), by_type("A"), count=1)
    yield "no uuid option", await events(node, of_stream(name), {"uuidOption": {}}, count=1)


@asks
async def read_controls(node: Node) -> Answers:
    """First and last positions, for clients that say how new they are."""
    name = await ten(node)
    for compatibility in (0, 1, 2, 21, 100):
        label, control = f"control {compatibility}", _control(compatibility)
        missing = node.fresh("m")
        yield label, await read(node, of_stream(name, 8), control, count=5)
        yield f"{label} beyond", await read(node, of_stream(name, 50), control, count=5)
        yield f"{label} missing", await read(node, of_stream(missing), control, count=5)
        yield f"{label} subscribe", await subscribed(node, of_stream(name, 8), control)
    control = _control(1)
    await append(node, f"$${name}", [event("$metadata", '{"$maxCount":3}')])
    yield "truncated", await read(node, of_stream(name), control, count=5)
    yield "truncated from 2, 3", await read(node, of_stream(name, 2), control, count=3)
    from_end = await read(node, of_stream(name, "end"), BACKWARDS, control, count=5)
    yield "truncated backwards", from_end
    await delete(node, name)
    yield "deleted", await read(node, of_stream(name), control, count=5)


@asks
async def read_event_forms(node: Node) -> Answers:
    """Data and metadata of every kind, as they come back, with all that comes along."""
    name, octets = node.fresh("s"), "application/octet-stream"
    about = '{"$correlationId":"c"}'
    await append(
        node,
        name,
        [
            event("A", b"\xff\xfe"),
            event("B", b""),
            event("C", b"\x00\x01", b"\x00", content_type=octets),
            event("D", '{"a":1}', about),
        ],
    )
    for answer in await raw_events(node, of_stream(name), count=10):
        record = answer.event
        metadata = dict(record.metadata)
        yield (
            metadata["type"],
            {
                "data": record.data.hex(),
                "meta": record.custom_metadata.hex(),
                "metadata": metadata | {"created": "<time>"},
                "positions equal": record.commit_position == record.prepare_position,
                "event position": answer.WhichOneof("position"),
                "MAX": record.commit_position == NO_POSITION,
            },
        )


def _control(compatibility: int) -> dict[str, object]:
    return {"controlOption": {"compatibility": compatibility}}
