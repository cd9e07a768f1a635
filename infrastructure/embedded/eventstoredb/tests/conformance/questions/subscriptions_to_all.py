"""Catch-up subscriptions to ``$all``: positions of every kind, filters and their checkpoints."""

from collections.abc import Sequence
from itertools import groupby

from conformance.node import Node
from conformance.normal_form import NO_POSITION
from conformance.requests.fields import Fields
from conformance.requests.reads import (
    Start,
    brief,
    by_type,
    heard_live,
    kind,
    of_all,
    subscribed,
)
from conformance.requests.streams import append, event, position_of
from conformance.scenarios import Answers, asks, asks_alone

_FAR = 10**9  # bytes: well beyond the end


@asks_alone  # a subscriber that others' events overtake is told again that it has caught up
async def subscribe_all(node: Node) -> Answers:
    """From each kind of position, with an event that is appended meanwhile."""
    live = f"L{node.run}"
    commit, prepare = here = await position_of(node, node.fresh("p"), "Mark")
    beyond, within = (commit + _FAR, prepare + _FAR), (commit + 1, prepare + 1)
    yield "end", await _then_live(node, live, "end")
    yield "end filtered", await _then_live(node, live, "end", by_type(live))
    yield "from a position", await _then_live(node, live, here)
    yield "beyond the end", await _then_live(node, live, beyond, by_type(live))
    yield "within a record", await _then_live(node, live, within)
    yield "MAX", await _then_live(node, live, (NO_POSITION, NO_POSITION))
    yield "prepare 0", await _then_live(node, live, (commit, 0))


@asks
async def subscribe_all_checkpoints(node: Node) -> Answers:
    """How many checkpoints come with each window and multiplier, over 200 events and one match."""
    wanted, here = f"C{node.run}", await position_of(node, node.fresh("p"), "Mark")
    for _ in range(10):
        await append(node, node.fresh("n"), [event("Noise") for _ in range(20)])
    await append(node, node.fresh("h"), [event(wanted)])
    for window, multiplier in ((1, 1), (32, 1), (32, 0), (10, 3), (1000, 1)):
        by_window = by_type(wanted, window=window, multiplier=multiplier)
        answers = await subscribed(node, of_all(here), by_window)
        yield f"{window} x {multiplier}", _counted(answers)


async def _then_live(node: Node, live: str, start: Start, *options: Fields) -> list[object]:
    """What comes, without the events of others."""
    name = node.fresh("live")
    appended = await heard_live(
        node,
        of_all(start),
        *options,
        meanwhile=lambda: append(node, name, [event(live)]),
        until="" if options else f"0@{name}",  # its link comes, too, where nothing is filtered
    )
    return [brief(one) for one in appended if kind(one) != "event" or live in str(brief(one))]


def _counted(answers: Sequence[object]) -> Sequence[object]:
    """Each run of answers of one kind, and how long it is; a refusal as it stands."""
    if any(kind(one) == "FAULT" for one in answers):
        return answers
    return [f"{one} x {len(list(run))}" for one, run in groupby(kind(one) for one in answers)]
