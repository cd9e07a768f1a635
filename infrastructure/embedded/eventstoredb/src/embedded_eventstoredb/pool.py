"""Nodes for tests: empty, isolated, in memory, a few milliseconds each."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from embedded_eventstoredb.process import NodeProcess


class NodePool:
    """A process that starts the next node ahead. It ends with this process."""

    def __init__(self) -> None:
        self._process = NodeProcess(pool=True)
        self._asking = threading.Lock()

    def start(self) -> Self:
        """Start the process, once for many nodes. Raises NodeFailed."""
        self._process.start()
        return self

    def stop(self) -> None:
        """End it, with all nodes that are left."""
        self._process.stop()

    @contextmanager
    def node(self) -> Iterator[str]:
        """The connection string of a node for this caller alone, for as long as the context lasts.

        Raises NodeFailed.
        """
        with self._asking:
            uri = self._process.request("node")
        try:
            yield uri
        finally:
            with self._asking:
                self._process.send(f"end {uri}")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
