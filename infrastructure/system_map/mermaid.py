"""The map as a Mermaid flowchart, for pages that draw it themselves."""

import re
from collections.abc import Iterator
from typing import Final

from application.system_map import (
    Lane,
    Reader,
    Source,  # only: bus
    SystemMap,
)

_SHAPES: Final = {
    "saga": '{{{{"{}"}}}}',
    "reaction": '["{}"]',
    "read model": '[("{}")]',
    "topic": '(["{}"])',  # only: bus
}


def mermaid(of: SystemMap) -> str:
    """A flowchart from commands to readers. One arrow stands for all events of a category."""
    return "\n".join(_lines(of)) + "\n"


def _lines(of: SystemMap) -> Iterator[str]:
    yield "flowchart LR"
    # only: bus
    for source in of.sources:
        yield from _source(source)
    # end: bus
    for lane in of.lanes:
        yield from _lane(lane)
    for one in of.readers:
        yield f"  {_id(one.kind, one.name)}{_SHAPES[one.kind].format(one.name)}"
        yield from _arrows(one)


# only: bus
def _source(source: Source) -> Iterator[str]:
    it = _id("source", source.publisher)
    yield f'  {it}(["{"<br>".join(source.events)}"])'


# end: bus
def _lane(lane: Lane) -> Iterator[str]:
    commands, aggregate = _id("commands", lane.category), _id("lane", lane.category)
    yield f"  subgraph {_id('category', lane.category)}[{lane.category}]"
    if lane.commands:
        yield f'    {commands}["{"<br>".join(lane.commands)}"] --> {aggregate}'
    yield f'    {aggregate}["{"<br>".join(lane.events)}"]'
    yield "  end"


def _arrows(one: Reader) -> Iterator[str]:
    it = _id(one.kind, one.name)
    yield from (f"  {_id('lane', category)} --> {it}" for category in one.whole)
    for category in dict.fromkeys(category for category, _ in one.single):
        types = "<br>".join(type for of, type in one.single if of == category)
        yield f'  {_id("lane", category)} -- "{types}" --> {it}'


def _id(kind: str, name: str) -> str:
    return re.sub(r"\W", "_", f"{kind}_{name}")
