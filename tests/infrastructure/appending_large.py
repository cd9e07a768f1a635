"""Appends one large event on the servers of the environment, once a line comes on standard input.

``python -m tests.infrastructure.appending_large STREAM``; prints ``connected`` and ``appended``.
"""

import asyncio
import os
import sys

from application.ports import NO_STREAM
from tests.application.swept import large
from tests.stores import opened


async def main(stream: str) -> None:
    """Append it."""
    servers = {name: value for name, value in os.environ.items() if name.startswith("HEADWATER_")}
    async with opened(servers) as container:
        print("connected", flush=True)
        sys.stdin.readline()
        await container.event_store().append(stream, [large(stream)], NO_STREAM)
        print("appended", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
