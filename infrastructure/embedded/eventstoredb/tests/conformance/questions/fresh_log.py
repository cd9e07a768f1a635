"""The checkpoints of a filtered subscription to a log without a match, such as a new one."""

from esdbclient.protos.Grpc import streams_pb2

from conformance.node import Node
from conformance.normal_form import NO_POSITION
from conformance.requests.fields import Fields
from conformance.requests.reads import (
    Start,
    by_type,
    of_all,
    subscribed_raw,
)
from conformance.scenarios import Answers, asks_alone

_WINDOW = 1_000_000  # events: more than there are


@asks_alone
async def nothing_matches(node: Node) -> Answers:
    """Less than a window of events has been looked at, and none matched: is there a checkpoint?"""
    nothing = by_type(f"F{node.run}", window=_WINDOW)
    yield "from the start", await _told(node, "start", nothing)
    yield "from (0, 0)", await _told(node, (0, 0), nothing)
    yield "from the end", await _told(node, "end", nothing)
    small = await _told(node, (0, 0), by_type(f"F{node.run}", window=5))
    yield "window 5 from (0, 0), the first two", small[1:3]


async def _told(node: Node, start: Start, options: Fields) -> list[str]:
    heard = await subscribed_raw(node, of_all(start), options)
    return [_line(answer) for answer in heard]


def _line(answer: streams_pb2.ReadResp) -> str:
    kind = str(answer.WhichOneof("content"))
    if kind != "checkpoint":
        return kind
    commit, prepare = answer.checkpoint.commit_position, answer.checkpoint.prepare_position
    return f"checkpoint {_position(commit)}/{_position(prepare)}"


def _position(number: int) -> str:
    return {0: "0", NO_POSITION: "none"}.get(number, "some")
