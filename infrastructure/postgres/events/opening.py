"""Events in PostgreSQL, beside the read models, opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.postgres.admission import require_admission
from infrastructure.postgres.events.consumer_groups import ConsumerGroups
from infrastructure.postgres.events.event_browser import EventBrowser
from infrastructure.postgres.events.event_store import EventStore
from infrastructure.postgres.events.group_commit import GroupCommit
from infrastructure.postgres.events.held_back_metrics import HeldBackMetrics
from infrastructure.postgres.events.horizon import Horizon
from infrastructure.postgres.events.subscriptions import Subscriptions
from infrastructure.postgres.events.wake_up import wake_up
from infrastructure.postgres.inline import InlineCommit
from infrastructure.postgres.opening import usable
from infrastructure.postgres.pools import durable_pool
from infrastructure.sides import EventSide, Given


@asynccontextmanager
async def event_side(given: Given) -> AsyncIterator[EventSide]:
    """The tables have to be there.

    Raises ``StoreUnavailable``, and ``InvalidSettings`` for a server that refuses us.
    """
    uri, catalogue = given.settings.postgres_uri, given.catalogue
    assert uri is not None  # resolving the settings has set it
    views = usable(given.settings)
    await require_admission(given.settings)
    async with (
        views as relaxed,
        durable_pool(uri) as durable,
        wake_up(uri) as rung,
    ):
        inline = InlineCommit(given.projections, given.payloads, catalogue)
        report, moment = given.metrics.event_store.committed, given.append_moment
        commits = GroupCommit(durable, inline, report, moment=moment)
        horizon = Horizon(durable)
        with HeldBackMetrics(horizon, rung).shown_in(given.metrics.registry) as held_back:
            yield EventSide(
                EventStore(durable, catalogue, commits),
                Subscriptions(durable, rung, horizon, catalogue),
                ConsumerGroups(relaxed, rung, catalogue),
                EventBrowser(relaxed, horizon, catalogue),
                look=held_back.look,
                server_counts=True,
            )
