"""Read models in PostgreSQL, and events: the only package that speaks to it."""

from infrastructure.postgres.builds import Builds
from infrastructure.postgres.connections import Pool, durable_pool, pool
from infrastructure.postgres.consumer_groups import ConsumerGroups
from infrastructure.postgres.event_store import EventStore
from infrastructure.postgres.group_commit import GroupCommit
from infrastructure.postgres.horizon import Horizon
from infrastructure.postgres.inline import InlineCommit
from infrastructure.postgres.migrating import migrate
from infrastructure.postgres.origin import filled_elsewhere, has_events
from infrastructure.postgres.read_models import ReadModels
from infrastructure.postgres.subscriptions import Subscriptions
from infrastructure.postgres.views import Views
from infrastructure.postgres.wake_up import WakeUp, wake_up

__all__ = [
    "Builds",
    "ConsumerGroups",
    "EventStore",
    "GroupCommit",
    "Horizon",
    "InlineCommit",
    "Pool",
    "ReadModels",
    "Subscriptions",
    "Views",
    "WakeUp",
    "durable_pool",
    "filled_elsewhere",
    "has_events",
    "migrate",
    "pool",
    "wake_up",
]
