"""Reading ``$all``: from positions of every kind, and through filters."""

from conformance.node import Node
from conformance.normal_form import NO_POSITION
from conformance.requests.fields import Fields
from conformance.requests.reads import BACKWARDS, by_type, events, filtered, of_all
from conformance.requests.streams import append, event, position_of, ten
from conformance.scenarios import Answers, asks

_FAR = 10**9  # bytes: well beyond the end


@asks
async def read_all(node: Node) -> Answers:
    """From a position, within a record, beyond the end, and from an invalid position."""
    commit, prepare = here = await position_of(node, await ten(node), "Mark")
    within, beyond = (commit + 1, prepare + 1), (commit + _FAR, prepare + _FAR)
    nowhere = (NO_POSITION, NO_POSITION)
    yield "from a position", await events(node, of_all(here), count=1)
    yield "backwards from it", await events(node, of_all(here), BACKWARDS, count=1)
    yield "end forwards", await events(node, of_all("end"), count=1)
    yield "start backwards", await events(node, of_all("start"), BACKWARDS, count=1)
    yield "count 0", await events(node, of_all(here), count=0)
    yield "within a record", await events(node, of_all(within), count=1)
    yield "beyond the end", await events(node, of_all(beyond), count=1)
    yield "beyond backwards", await events(node, of_all(beyond), BACKWARDS, count=1)
    yield "max backwards", len(await events(node, of_all(nowhere), BACKWARDS, count=1))
    yield "max forwards", await events(node, of_all(nowhere), count=1)
    yield "prepare after commit", await events(node, of_all((commit, prepare + 1)), count=1)
    yield "prepare 0", await events(node, of_all((commit, 0)), count=1)
    yield "commit 0 prepare 5", await events(node, of_all((0, 5)), count=1)
    yield "2^63", await events(node, of_all((2**63, 2**63)), count=1)


@asks
async def read_all_filters(node: Node) -> Answers:
    """Filters by type and by stream: prefixes, patterns of .NET, windows, and broken ones."""
    k, name = f"K{node.run}", node.fresh("f")
    await append(node, name, [event(f"{k}a"), event(f"{k}b"), event(f"other{k}")])
    await append(node, node.fresh("z"), [event(f"{k}c")])
    prefix = {"prefix": [k]}
    for label, options in (
        ("prefix", by_type(k)),
        ("two prefixes", by_type(f"{k}a", f"{k}c")),
        ("regex", by_type(regex=f"^{k}[ab]$")),
        ("regex and prefix", _by(eventType={"regex": f"^{k}a$", "prefix": [f"{k}b"]})),
        ("no expression", _by()),
        ("no window", filtered(eventType=prefix, checkpointIntervalMultiplier=1)),
        ("window 0", by_type(k, window=0)),
        ("window count", filtered(eventType=prefix, count={}, checkpointIntervalMultiplier=1)),
        ("multiplier 0", by_type(k, multiplier=0)),
        ("broken regex", by_type(regex="(")),
        ("stream prefix", _by(streamIdentifier={"prefix": [name]})),
        ("dotnet regex", by_type(regex=f"^(?<who>{k})(?i)A$")),
        ("unanchored", by_type(regex=k[1:])),
    ):
        yield label, await events(node, of_all(), options, count=100)
    yield "backwards", await events(node, of_all("end"), BACKWARDS, by_type(k), count=100)


@asks
async def read_all_empty_filters(node: Node) -> Answers:
    """Filters that say nothing: does anything pass?"""
    await ten(node)
    empty_prefix = await events(node, of_all(), by_type(""), count=100)
    yield "empty prefix", len(empty_prefix) > 5
    for label, expression in (("empty expression", {}), ("empty regex", {"regex": ""})):
        passed = await events(node, of_all(), _by(eventType=expression), count=100)
        yield label, len(passed) > 0


def _by(**expression: object) -> Fields:
    return filtered(**expression, max=32, checkpointIntervalMultiplier=1)
