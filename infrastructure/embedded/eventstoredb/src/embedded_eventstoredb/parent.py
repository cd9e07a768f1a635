"""What a node is told by whoever started it, on standard input: a line each.

``down HOST:PORT`` loses a member of the cluster, ``up HOST:PORT`` has it back; each is answered,
with ``ready`` and the connection string, when it is done. ``leader`` is answered with the
``HOST:PORT`` of the member that leads. The end of the input ends the node.
"""

import asyncio
import signal
import sys

from embedded_eventstoredb.server import Node, PortUnavailable


async def obey(node: Node) -> None:
    """Do what is said until the input ends, as it does by the death of the parent."""
    told = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    while line := (await told.readline()).decode():
        print(await _done(node, line.split()), flush=True)
    signal.raise_signal(signal.SIGTERM)


async def _done(node: Node, words: list[str]) -> str:
    try:
        match words:
            case ["down", target] if target in node.members.targets:
                await node.members.take_down(node.members.targets.index(target))
            case ["up", target] if target in node.members.targets:
                await node.members.bring_back(node.members.targets.index(target))
            case ["leader"]:
                target = node.members.leader_target
                return f"ready {target}" if target else "failed: no member leads at the moment"
            case _:
                return f"failed: {' '.join(words)!r}: say 'down' or 'up' and a member's HOST:PORT"
    except PortUnavailable as error:
        return f"failed: {error}"
    return f"ready {node.uri}"
