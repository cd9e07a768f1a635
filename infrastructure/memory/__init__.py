"""Every port in memory, with all rules and concurrency checks. The data ends with the process."""

from infrastructure.memory.builds import Builds
from infrastructure.memory.bus import Bus  # only: bus
from infrastructure.memory.consumer_groups import ConsumerGroups
from infrastructure.memory.coordination import Checkpoints, Leases
from infrastructure.memory.copies import Copies  # only: bus or temporal
from infrastructure.memory.event_browser import EventBrowser
from infrastructure.memory.event_store import EventStore
from infrastructure.memory.guarded import GuardedViews  # only: dynamodb_views or search
from infrastructure.memory.incoming import IncomingRecords  # only: bus
from infrastructure.memory.key_store import KeyStore
from infrastructure.memory.payload_store import PayloadStore
from infrastructure.memory.read_models import ReadModels
from infrastructure.memory.search_engine import (  # only: search
    IndexedReadModels,  # only: search
    SearchEngine,  # only: search
    SearchIndex,  # only: search
)  # only: search
from infrastructure.memory.sides import event_side, read_side
from infrastructure.memory.subscriptions import Subscriptions
from infrastructure.memory.views import Views

__all__ = [
    "Builds",
    "Bus",  # only: bus
    "Checkpoints",
    "ConsumerGroups",
    "Copies",  # only: bus or temporal
    "EventBrowser",
    "EventStore",
    "GuardedViews",  # only: dynamodb_views or search
    "IncomingRecords",  # only: bus
    "IndexedReadModels",  # only: search
    "KeyStore",
    "Leases",
    "PayloadStore",
    "ReadModels",
    "SearchEngine",  # only: search
    "SearchIndex",  # only: search
    "Subscriptions",
    "Views",
    "event_side",
    "read_side",
]
