"""An EventStoreDB node in Python, for tests and development.

``NodeProcess`` is a node as a child process, ``NodePool`` hands out empty nodes to tests, and the
pytest plugin has the fixture ``eventstoredb_uri``. ``python -m embedded_eventstoredb`` runs a node.
"""

from embedded_eventstoredb.child_process import ChildFailed, ChildProcess
from embedded_eventstoredb.pool import NodePool
from embedded_eventstoredb.process import NodeFailed, NodeProcess

__all__ = ["ChildFailed", "ChildProcess", "NodeFailed", "NodePool", "NodeProcess"]
