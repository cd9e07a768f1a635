"""``python -m tests.conformance [PREFIX]``: prints in what a node differs from the real server.

Asks the node that ``EVENTSTOREDB_URI`` names, else a fresh embedded one; only the scenarios whose
names begin with the prefix, else all. Its exit code is 0 when nothing differs that must not.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from infrastructure.embedded.eventstoredb.process import NodeProcess
from tests.conformance.comparing import compare


def main() -> int:
    with _node() as uri:
        verdict = asyncio.run(compare(urlsplit(uri).netloc, *sys.argv[1:2]))
    print(verdict)
    return 1 if verdict.differences else 0


@contextmanager
def _node() -> Iterator[str]:
    if given := os.environ.get("EVENTSTOREDB_URI"):
        yield given
        return
    with NodeProcess() as node:
        yield node.uri


if __name__ == "__main__":
    sys.exit(main())
