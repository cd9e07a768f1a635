"""Commands of the parent process, on standard input, one per line.

``down HOST:PORT`` stops a member of the cluster as if it were killed, ``up HOST:PORT`` starts it
again; each is answered with ``ready`` and the connection string when it is done. ``leader`` is
answered with the ``HOST:PORT`` of the leader. The end of the input ends the node.
"""

import asyncio
import signal
import sys

from embedded_eventstoredb.server import Node, PortUnavailable


async def run_commands(node: Node) -> None:
    """Run commands until the input ends, as it does when the parent dies; then end the node."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode():
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
