"""``first_stream_position``: sent before any event, when a page of versions has none left."""

from collections.abc import Mapping

from conformance.node import Node
from conformance.requests.reads import of_stream, read
from conformance.requests.streams import append, event
from conformance.scenarios import Answers, asks


@asks
async def first_stream_positions(node: Node) -> Answers:
    """A stream of 64 events of which the first are gone, read from 0 by several counts."""
    for label, text, count in (
        ("tb 20, count 1000", '{"$tb":20}', 1000),
        ("tb 20, count 5", '{"$tb":20}', 5),
        ("tb 70, count 1000", '{"$tb":70}', 1000),
        ("max count 3, count 1000", '{"$maxCount":3}', 1000),
    ):
        name = node.fresh("s")
        await append(node, name, [event() for _ in range(64)])
        await append(node, f"$${name}", [event("$metadata", text)])
        control = {"controlOption": {"compatibility": 1}}
        answers = await read(node, of_stream(name), control, count=count)
        yield label, [one for one in answers if isinstance(one, Mapping) and "event" not in one]
