"""What is written to ``$$s``, and what can be read of ``s`` then."""

from collections.abc import Mapping
from uuid import UUID

from conformance.node import Node
from conformance.requests.reads import BACKWARDS, events, of_stream
from conformance.requests.streams import append, event
from conformance.scenarios import Answers, asks


@asks
async def append_metadata_stream(node: Node) -> Answers:
    """Limits of every kind, sound and not, on a stream of six events, one after the other."""
    name = node.fresh("s")
    await append(node, name, [event(str(number)) for number in range(6)])
    for label, text in (
        ("max count 2", '{"$maxCount":2}'),
        ("max count 0", '{"$maxCount":0}'),
        ("max count -1", '{"$maxCount":-1}'),
        ("max count text", '{"$maxCount":"2"}'),
        ("max count 1.5", '{"$maxCount":1.5}'),
        ("tb 3", '{"$tb":3}'),
        ("tb 99", '{"$tb":99}'),
        ("tb -1", '{"$tb":-1}'),
        ("max age 0", '{"$maxAge":0}'),
        ("max age 1000", '{"$maxAge":1000}'),
        ("broken", '{"$maxCount":'),
        ("list", "[1]"),
        ("empty", ""),
        ("unknown", '{"mine":1}'),
        ("both", '{"$maxCount":3,"$tb":1}'),
    ):
        yield label, await _with_metadata(node, name, text)
    yield "another type", await append(node, f"$${name}", [event("Other", "{}")])
    yield "then", await events(node, of_stream(name), count=10)


async def _with_metadata(node: Node, name: str, text: str) -> object:
    """Whether it can be written, what can be read then, and what the last version is."""
    answer = await append(node, f"$${name}", [event("$metadata", text)])
    assert isinstance(answer, Mapping)
    refusal = answer if "FAULT" in answer else {}
    conflict = await append(node, name, [event("x", event_id=str(UUID(int=1)))], 77)
    assert isinstance(conflict, Mapping)
    return {
        "wrote": not refusal,
        **refusal,
        "forwards": await events(node, of_stream(name), count=10),
        "backwards": await events(node, of_stream(name, "end"), BACKWARDS, count=3),
        "last": conflict.get("wrongExpectedVersion", "?"),
    }
