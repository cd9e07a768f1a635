"""The same write many times at once: it is written once, and answered alike or not at all."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from conformance.node import Node
from conformance.requests.batches import batch, batches
from conformance.requests.reads import events, of_stream
from conformance.requests.streams import append, event
from conformance.scenarios import Answers, asks

_AT_ONCE: Final = 20
_SILENCE: Final = ("DEADLINE_EXCEEDED", "Timeout", "Commit phase timeout")


@asks
async def equal_appends_at_once(node: Node) -> Answers:
    """Twenty equal appends, each a call of its own."""
    for version in ("none", "any", "exists"):
        name, one = node.fresh("s"), event("A")
        if version == "exists":
            await append(node, name, [event("Before")])
        race = [append(node, name, [one], version) for _ in range(_AT_ONCE)]
        yield version, await _written_once(node, name, await asyncio.gather(*race))


@asks
async def equal_batches_at_once(node: Node) -> Answers:
    """The same with BatchAppend and a deadline of 1 s."""
    for version in ("none", "any"):
        name, one = node.fresh("s"), event("A")
        race = [batches(node, batch(name, [one], version, deadline="1s")) for _ in range(_AT_ONCE)]
        yield version, await _written_once(node, name, await asyncio.gather(*race))


async def _written_once(node: Node, name: str, answers: Sequence[object]) -> Mapping[str, object]:
    """How many are dropped hangs on the moment, so it is not part of the answer."""
    written = [str(one) for one in answers if "success" in str(one)]
    silent = [one for one in answers if any(word in str(one) for word in _SILENCE)]
    there = await events(node, of_stream(name), count=50)
    return {
        "some are answered": bool(written),
        "all of them alike": len(set(_without_position(written))) == 1,
        "the others not at all": len(written) + len(silent) == len(answers),
        "there": [str(one).split(" ")[1] for one in there],
    }


def _without_position(answers: Sequence[str]) -> list[str]:
    return [answer.partition("'position'")[0] for answer in answers]
