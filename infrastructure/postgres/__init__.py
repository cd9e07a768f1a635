"""Read models in PostgreSQL, and events: the only package that speaks to it."""

from infrastructure.postgres.coordination.checkpoints import Checkpoints
from infrastructure.postgres.coordination.leases import Leases
from infrastructure.postgres.events.consumer_groups import ConsumerGroups  # only: postgres_events
from infrastructure.postgres.events.event_browser import EventBrowser  # only: postgres_events
from infrastructure.postgres.events.event_store import EventStore  # only: postgres_events
from infrastructure.postgres.events.group_commit import GroupCommit  # only: postgres_events
from infrastructure.postgres.events.horizon import Horizon  # only: postgres_events
from infrastructure.postgres.events.subscriptions import Subscriptions  # only: postgres_events
from infrastructure.postgres.events.wake_up import WakeUp, wake_up  # only: postgres_events
from infrastructure.postgres.inline import InlineCommit  # only: postgres_events
from infrastructure.postgres.key_store import KeyStore
from infrastructure.postgres.migrating import migrate
from infrastructure.postgres.origin import filled_elsewhere, has_events
from infrastructure.postgres.pools import Pool, durable_pool, pool
from infrastructure.postgres.read_models.builds import Builds
from infrastructure.postgres.read_models.read_models import ReadModels
from infrastructure.postgres.read_models.views import Views

__all__ = [
    "Builds",
    "Checkpoints",
    "ConsumerGroups",  # only: postgres_events
    "EventBrowser",  # only: postgres_events
    "EventStore",  # only: postgres_events
    "GroupCommit",  # only: postgres_events
    "Horizon",  # only: postgres_events
    "InlineCommit",  # only: postgres_events
    "KeyStore",
    "Leases",
    "Pool",
    "ReadModels",
    "Subscriptions",  # only: postgres_events
    "Views",
    "WakeUp",  # only: postgres_events
    "durable_pool",
    "filled_elsewhere",
    "has_events",
    "migrate",
    "pool",
    "wake_up",  # only: postgres_events
]
