"""Events and read models in DynamoDB: the only package that speaks to it."""

from infrastructure.dynamodb.client import Database, connect
from infrastructure.dynamodb.coordination.checkpoints import Checkpoints
from infrastructure.dynamodb.coordination.leases import Leases
from infrastructure.dynamodb.events.commits import GroupCommit
from infrastructure.dynamodb.events.consumer_groups import ConsumerGroups
from infrastructure.dynamodb.events.event_store import EventStore
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.streams import Streams
from infrastructure.dynamodb.events.subscriptions import Subscriptions
from infrastructure.dynamodb.store_clock import StoreClock
from infrastructure.dynamodb.tables import EVENT_TABLES, make

__all__ = [
    "EVENT_TABLES",
    "Checkpoints",
    "ConsumerGroups",
    "Database",
    "EventStore",
    "GroupCommit",
    "Leases",
    "Log",
    "StoreClock",
    "Streams",
    "Subscriptions",
    "connect",
    "make",
]
