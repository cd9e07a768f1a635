"""Every port in memory, with all rules and concurrency checks. The data ends with the process."""

from infrastructure.memory.builds import Builds
from infrastructure.memory.bus import Bus
from infrastructure.memory.consumer_groups import ConsumerGroups
from infrastructure.memory.coordination import Checkpoints, Leases
from infrastructure.memory.event_store import EventStore
from infrastructure.memory.guarded import GuardedViews
from infrastructure.memory.incoming import IncomingRecords
from infrastructure.memory.payload_store import PayloadStore
from infrastructure.memory.read_models import ReadModels
from infrastructure.memory.search_engine import IndexedReadModels, SearchEngine, SearchIndex
from infrastructure.memory.sides import event_side, read_side
from infrastructure.memory.subscriptions import Subscriptions
from infrastructure.memory.views import Views

__all__ = [
    "Builds",
    "Bus",
    "Checkpoints",
    "ConsumerGroups",
    "EventStore",
    "GuardedViews",
    "IncomingRecords",
    "IndexedReadModels",
    "Leases",
    "PayloadStore",
    "ReadModels",
    "SearchEngine",
    "SearchIndex",
    "Subscriptions",
    "Views",
    "event_side",
    "read_side",
]
