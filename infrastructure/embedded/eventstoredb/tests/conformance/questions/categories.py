"""The system projections: which streams have a category, and what its links are."""

from conformance.node import Node
from conformance.requests.projections import disable, enable, statuses
from conformance.requests.reads import RESOLVED, events, of_stream, read, subscribed
from conformance.requests.streams import append, delete, event, tombstone
from conformance.scenarios import Answers, asks, asks_alone


@asks
async def categories_forms(node: Node) -> Answers:
    """Streams with dashes at every place of their names, and without dashes."""
    run = node.run
    for label, name in (
        ("one dash", f"cat{run}-1"),
        ("two dashes", f"cat{run}b-1-2"),
        ("no dash", f"nodash{run}"),
        ("first dash", f"-x{run}"),
        ("last dash", f"end{run}-"),
        ("underscore", f"un_der{run}-1"),
        ("dollar", f"$sys{run}-1"),
        ("upper", f"UP{run}-1"),
        ("space", f"a b{run}-1"),
        ("unicode", f"é{run}-1"),
    ):
        await append(node, name, [event(f"T{run}{label}")])
    await _holds(node, f"$ce-é{run}", 1)
    for label, category in (
        ("one dash", f"cat{run}"),
        ("two dashes", f"cat{run}b"),
        ("two dashes last", f"cat{run}b-1"),
        ("no dash", f"nodash{run}"),
        ("first dash", ""),
        ("last dash", f"end{run}"),
        ("underscore", f"un_der{run}"),
        ("dollar", f"$sys{run}"),
        ("upper", f"UP{run}"),
        ("space", f"a b{run}"),
        ("unicode", f"é{run}"),
    ):
        yield label, await events(node, of_stream(f"$ce-{category}"), RESOLVED, count=5)
    first, kind = f"$category-cat{run}", f"$et-T{run}one dash"
    await _holds(node, first, 1)
    yield "$category-", await read(node, of_stream(first), count=5)
    await _holds(node, kind, 1)
    yield "$et", await events(node, of_stream(kind), RESOLVED, count=5)
    yield "link raw", await read(node, of_stream(f"$ce-cat{run}"), count=1)


@asks
async def categories_of_deleted(node: Node) -> Answers:
    """The links of a category with deleted, tombstoned and truncated streams."""
    category = f"del{node.run}"
    links = f"$ce-{category}"
    await append(node, f"{category}-1", [event("A"), event("B")])
    await append(node, f"{category}-2", [event("C")])
    await append(node, f"{category}-3", [event("D")])
    await _holds(node, links, 4)
    await delete(node, f"{category}-1")
    await tombstone(node, f"{category}-2")
    await append(node, f"$${category}-3", [event("$metadata", '{"$tb":1}')])
    await _holds(node, links, 6)
    yield "resolved", await read(node, of_stream(links), RESOLVED, count=20)
    yield "subscribed", await subscribed(node, of_stream(links), RESOLVED)


@asks_alone
async def categories_by_hand(node: Node) -> Answers:
    """An event that is written into a category's stream by hand: it ends the projection."""
    category = f"byhand{node.run}"
    links = f"$ce-{category}"
    await append(node, f"{category}-1", [event("A")])
    await _holds(node, links, 1)
    yield "before", await read(node, of_stream(links), RESOLVED, count=5)
    yield "write", await append(node, links, [event("Mine", '{"x":1}')])
    await append(node, f"{category}-1", [event("B")])
    await node.until(lambda: _has_faulted(node))
    yield "after", await read(node, of_stream(links), RESOLVED, count=9)
    yield "status", await statuses(node, "$by_category")
    await delete(node, links)  # the cure: without it no category has links any more
    await disable(node, "$by_category")
    await enable(node, "$by_category")


async def _has_faulted(node: Node) -> bool:
    return "Faulted" in str(await statuses(node, "$by_category"))


async def _holds(node: Node, name: str, number: int) -> None:
    """Waits until a stream has so many events."""

    async def has() -> bool:
        there = await events(node, of_stream(name), count=number)
        return len(there) >= number and "stream_not_found" not in str(there)

    await node.until(has)
