"""Events and read models in DynamoDB: the only package that speaks to it."""

from infrastructure.dynamodb.client import Database, connect
from infrastructure.dynamodb.coordination.checkpoints import Checkpoints  # only: dynamodb_views
from infrastructure.dynamodb.coordination.leases import Leases  # only: dynamodb_views
from infrastructure.dynamodb.events.commits import GroupCommit  # only: dynamodb_events
from infrastructure.dynamodb.events.consumer_groups import ConsumerGroups  # only: dynamodb_events
from infrastructure.dynamodb.events.event_browser import EventBrowser  # only: dynamodb_events
from infrastructure.dynamodb.events.event_store import EventStore  # only: dynamodb_events
from infrastructure.dynamodb.events.log import Log  # only: dynamodb_events
from infrastructure.dynamodb.events.streams import Streams  # only: dynamodb_events
from infrastructure.dynamodb.events.subscriptions import Subscriptions  # only: dynamodb_events
from infrastructure.dynamodb.key_store import KeyStore  # only: dynamodb_views
from infrastructure.dynamodb.making import make
from infrastructure.dynamodb.read_models.builds import Builds  # only: dynamodb_views
from infrastructure.dynamodb.read_models.guarded import GuardedViews  # only: dynamodb_views
from infrastructure.dynamodb.read_models.read_models import ReadModels  # only: dynamodb_views
from infrastructure.dynamodb.read_models.views import ReadViews as Views  # only: dynamodb_views
from infrastructure.dynamodb.store_clock import StoreClock  # only: dynamodb_views
from infrastructure.dynamodb.tables import EVENT_TABLES

__all__ = [
    "EVENT_TABLES",
    "Builds",  # only: dynamodb_views
    "Checkpoints",  # only: dynamodb_views
    "ConsumerGroups",  # only: dynamodb_events
    "Database",
    "EventBrowser",  # only: dynamodb_events
    "EventStore",  # only: dynamodb_events
    "GroupCommit",  # only: dynamodb_events
    "GuardedViews",  # only: dynamodb_views
    "KeyStore",  # only: dynamodb_views
    "Leases",  # only: dynamodb_views
    "Log",  # only: dynamodb_events
    "ReadModels",  # only: dynamodb_views
    "StoreClock",  # only: dynamodb_views
    "Streams",  # only: dynamodb_events
    "Subscriptions",  # only: dynamodb_events
    "Views",  # only: dynamodb_views
    "connect",
    "make",
]
