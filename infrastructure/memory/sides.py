"""Both sides of a service in memory. Nothing has to be opened."""

from infrastructure.memory.builds import Builds
from infrastructure.memory.consumer_groups import ConsumerGroups
from infrastructure.memory.coordination import Leases
from infrastructure.memory.event_browser import EventBrowser
from infrastructure.memory.event_store import EventStore
from infrastructure.memory.read_models import ReadModels
from infrastructure.memory.subscriptions import Subscriptions
from infrastructure.sides import EventSide, Given, ReadSide


def event_side(given: Given) -> EventSide:
    """An empty log."""
    streams = EventStore(given.catalogue)
    return EventSide(
        streams, Subscriptions(streams), ConsumerGroups(streams), EventBrowser(streams)
    )


def read_side(given: Given) -> ReadSide:
    """No views yet."""
    builds = Builds()
    return ReadSide(ReadModels(given.projections, builds), builds, builds.checkpoints, Leases())
