"""Ports on EventStoreDB, over esdbclient: the only package that knows this client.

``connect`` opens a ``Client``, which all adapters can share. The caller closes it.
"""

from infrastructure.eventstoredb.category_links import CategoryLinks
from infrastructure.eventstoredb.client import Client
from infrastructure.eventstoredb.connecting import connect
from infrastructure.eventstoredb.consumer_groups import ConsumerGroups
from infrastructure.eventstoredb.event_browser import EventBrowser
from infrastructure.eventstoredb.event_store import EventStore
from infrastructure.eventstoredb.subscriptions import Subscriptions
from infrastructure.eventstoredb.system_projections import enable_system_projections

__all__ = [
    "CategoryLinks",
    "Client",
    "ConsumerGroups",
    "EventBrowser",
    "EventStore",
    "Subscriptions",
    "connect",
    "enable_system_projections",
]
