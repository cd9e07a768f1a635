"""Links, to what is there and to what is not."""

from conformance.node import Node
from conformance.requests.reads import BACKWARDS, RESOLVED, of_stream, read, subscribed
from conformance.requests.streams import append, delete, event, ten, tombstone
from conformance.scenarios import Answers, asks


@asks
async def read_links(node: Node) -> Answers:
    """A stream of links, sound and broken, read resolved and not, both ways, and subscribed to."""
    links = await _links(node)
    yield "resolved", await read(node, of_stream(links), RESOLVED, count=50)
    yield "plain", await read(node, of_stream(links), count=50)
    further = node.fresh("links")
    await append(node, further, [event("$>", f"0@{links}")])
    yield "link to a link", await read(node, of_stream(further), RESOLVED, count=5)
    yield "subscribed", await subscribed(node, of_stream(links), RESOLVED)
    backwards = await read(node, of_stream(links, "end"), BACKWARDS, RESOLVED, count=3)
    yield "backwards", backwards


async def _links(node: Node) -> str:
    """Links to an event, beyond the last, to streams that are gone or truncated, to nothing."""
    target, links, never = await ten(node), node.fresh("links"), node.fresh("never")
    gone, tomb, cut = node.fresh("gone"), node.fresh("tomb"), node.fresh("trunc")
    await append(node, gone, [event("G")])
    await append(node, tomb, [event("T")])
    await append(node, cut, [event("a"), event("b")])
    places = (
        f"99@{target}",
        f"0@{gone}",
        f"0@{tomb}",
        f"0@{cut}",
        "rubbish",
        "",
        f"x@{target}",
        f"-1@{target}",
        f"1@{never}",
        "1@",
        f"0@$${cut}",
    )
    first = event("$>", f"3@{target}", content_type="application/octet-stream")
    await append(node, links, [first, *(event("$>", place) for place in places)])
    await delete(node, gone)
    await tombstone(node, tomb)
    await append(node, f"$${cut}", [event("$metadata", '{"$tb":1}')])
    return links
