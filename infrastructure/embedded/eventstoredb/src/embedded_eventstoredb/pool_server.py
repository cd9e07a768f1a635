"""Many nodes in one process, each in memory and on a port of its own.

Commands on standard input, one per line: ``node`` is answered ``ready esdb://…``; ``end esdb://…``
is not answered. One node is always started ahead, so that ``node`` is answered at once. The end of
the input ends the process.
"""

import asyncio
import signal
import sys

from embedded_eventstoredb.node_settings import NodeSettings
from embedded_eventstoredb.server import Node


async def serve_pool() -> None:
    """Provide nodes until the input ends, or until SIGTERM."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    loop.add_signal_handler(signal.SIGTERM, lines.feed_eof)
    nodes: dict[str, Node] = {}
    ending: set[asyncio.Task[None]] = set()
    spare = await _started()
    print("ready pool", flush=True)
    while line := (await lines.readline()).decode():
        match line.split():
            case ["node"]:
                nodes[spare.uri] = spare
                print(f"ready {spare.uri}", flush=True)
                spare = await _started()
            case ["end", uri] if node := nodes.pop(uri, None):
                ending.add(asyncio.create_task(node.stop()))
    await asyncio.gather(*ending, *(node.stop() for node in (spare, *nodes.values())))


async def _started() -> Node:
    node = Node(NodeSettings(port=0))
    await node.start()
    return node
