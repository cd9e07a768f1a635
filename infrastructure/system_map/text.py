"""The map as text: each event, and what reads it."""

from collections.abc import Iterator

from application.system_map import Lane, Reader, SystemMap


def text(of: SystemMap) -> str:
    """Lane by lane: the commands, then each event with its readers; then what reads."""
    return "\n".join(_lines(of)) + "\n"


def _lines(of: SystemMap) -> Iterator[str]:
    for lane in of.lanes:
        yield from _lane(of, lane)
        yield ""
    # only: bus
    for source in of.sources:
        yield f"from {source.publisher}, by {', '.join(source.topics)}"
        yield from (f"  {event}" for event in source.events)
        yield ""
    # end: bus
    for kind in dict.fromkeys(one.kind for one in of.readers):
        yield f"{kind}s"
        yield from (f"  {_reader(one)}" for one in of.readers if one.kind == kind)
        yield ""


def _lane(of: SystemMap, lane: Lane) -> Iterator[str]:
    yield lane.category
    yield f"  commands  {', '.join(lane.commands) or 'none'}"
    width = max(map(len, lane.events), default=0)
    for event in lane.events:
        readers = of.readers_of(lane.category, event)
        yield f"  {event:{width}}  → {', '.join(one.name for one in readers) or 'nothing'}"


def _reader(one: Reader) -> str:
    joined = " → " if one.kind == "saga" else ", "
    return f"{one.name}: {joined.join(one.parts)}" if one.parts else one.name
