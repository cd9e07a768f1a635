"""Events in DynamoDB, opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.dynamodb.events.commits import GroupCommit
from infrastructure.dynamodb.events.consumer_groups import ConsumerGroups
from infrastructure.dynamodb.events.event_browser import EventBrowser
from infrastructure.dynamodb.events.event_store import EventStore
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.streams import Streams
from infrastructure.dynamodb.events.subscriptions import Subscriptions
from infrastructure.dynamodb.opening import database_of, require_tables
from infrastructure.dynamodb.tables import EVENT_TABLES
from infrastructure.sides import EventSide, Given


@asynccontextmanager
async def event_side(given: Given) -> AsyncIterator[EventSide]:
    """The tables have to be there.

    Raises ``StoreUnavailable``, and :class:`InvalidSettings` for settings that lead to no tables.
    """
    async with database_of(given.settings) as database:
        await require_tables(given.settings, database, EVENT_TABLES)
        log, streams = Log(database), Streams(database)
        report, moment = given.metrics.event_store.committed, given.append_moment
        commits = GroupCommit(database, log, streams, report, moment=moment)
        yield EventSide(
            EventStore(streams, commits, given.catalogue),
            Subscriptions(log, streams, given.catalogue),
            ConsumerGroups(database, log, streams, given.catalogue),
            EventBrowser(log, streams, given.catalogue),
        )
