"""``python -m conformance [PREFIX]``: prints in what a node differs from the real server.

Asks the node that ``EVENTSTOREDB_URI`` names, else a fresh embedded one; only the scenarios whose
names begin with the prefix, else all. Its exit code is 0 when nothing differs that must not, 1 when
something does, and 2 when nothing was asked.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.comparing import compare
from conformance.target import NotAsked, Target, target
from embedded_eventstoredb import NodeProcess


def main() -> int:
    try:
        with _target() as asked:
            verdict = asyncio.run(compare(asked, *sys.argv[1:2]))
    except NotAsked as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    print(verdict)
    return 1 if verdict.differences else 0


@contextmanager
def _target() -> Iterator[Target]:
    if given := os.environ.get("EVENTSTOREDB_URI"):
        yield target(given)
        return
    with NodeProcess(http_port=0) as node:
        yield target(node.uri, node.http)


if __name__ == "__main__":
    sys.exit(main())
