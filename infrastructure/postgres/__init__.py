"""Read models in PostgreSQL, and events: the only package that speaks to it."""

from infrastructure.postgres.connections import Pool, durable_pool, pool
from infrastructure.postgres.coordination.checkpoints import Checkpoints
from infrastructure.postgres.coordination.leases import Leases
from infrastructure.postgres.events.consumer_groups import ConsumerGroups
from infrastructure.postgres.events.event_store import EventStore
from infrastructure.postgres.events.group_commit import GroupCommit
from infrastructure.postgres.events.horizon import Horizon
from infrastructure.postgres.events.subscriptions import Subscriptions
from infrastructure.postgres.events.wake_up import WakeUp, wake_up
from infrastructure.postgres.inline import InlineCommit
from infrastructure.postgres.migrating import migrate
from infrastructure.postgres.origin import filled_elsewhere, has_events
from infrastructure.postgres.read_models.builds import Builds
from infrastructure.postgres.read_models.read_models import ReadModels
from infrastructure.postgres.read_models.views import Views

__all__ = [
    "Builds",
    "Checkpoints",
    "ConsumerGroups",
    "EventStore",
    "GroupCommit",
    "Horizon",
    "InlineCommit",
    "Leases",
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
