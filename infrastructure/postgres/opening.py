"""The two sides of a service in PostgreSQL, opened: read models, and events beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.metrics import Metrics
from infrastructure.postgres.connections import Pool, durable_pool, pool
from infrastructure.postgres.coordination.checkpoints import Checkpoints
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
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.sides import EventSide, Given, ReadSide


@asynccontextmanager
async def read_side(given: Given) -> AsyncIterator[ReadSide]:
    """Brings the tables up to date first.

    Raises ``StoreUnavailable``, and :class:`InvalidSettings` for an address of no server, and for
    read models that were filled from another event store.
    """
    async with _usable(given.settings) as opened:
        applied = await migrate(opened)
        await _require_one_origin(given.settings, opened)
        builds = Builds(opened)
        read_models = ReadModels(opened, given.projections, builds)
        yield ReadSide(read_models, builds, Checkpoints(opened), tuple(applied))


@asynccontextmanager
async def event_side(given: Given) -> AsyncIterator[EventSide]:
    """The tables have to be there. Raises ``StoreUnavailable``."""
    uri, catalogue = given.settings.postgres_uri, given.catalogue
    assert uri is not None  # resolving the settings has set it
    async with (
        _usable(given.settings) as relaxed,
        durable_pool(uri) as durable,
        wake_up(uri) as rung,
    ):
        inline = InlineCommit(given.projections, given.payloads, catalogue)
        commits = GroupCommit(durable, inline, report=given.metrics.event_store.committed)
        horizon = Horizon(durable)
        yield EventSide(
            EventStore(durable, catalogue, commits),
            Subscriptions(durable, rung, horizon, catalogue),
            ConsumerGroups(relaxed, rung, catalogue),
            look=lambda: _look(horizon, rung, given.metrics),
            server_counts=True,
        )


def _usable(settings: Settings) -> Pool:
    assert settings.postgres_uri is not None  # resolving the settings has set it
    try:
        return pool(settings.postgres_uri)
    except ValueError as error:
        raise InvalidSettings(f"{settings.name_of('postgres_uri')}: {error}") from None


async def _look(horizon: Horizon, rung: WakeUp, metrics: Metrics) -> None:
    """What open transactions keep from readers, and listeners that were lost."""
    metrics.event_store.show(await horizon.held_back(), rung.lost)


async def _require_one_origin(settings: Settings, opened: Pool) -> None:
    """Raises :class:`InvalidSettings` where the read models were filled from another store."""
    store, database = settings.name_of("event_store"), settings.name_of("postgres_uri")
    if not settings.one_database:
        if await has_events(opened):
            raise InvalidSettings(
                f"{store}: the database at {database} has events of its own: set "
                f"{store}=postgres, or {database} to a database for read models alone"
            )
        return
    if builds := await filled_elsewhere(opened):
        raise InvalidSettings(
            f"{store}: {', '.join(builds)} at {database} have seen more events than there "
            f"are here, so they come from another store: set {store}=eventstoredb, or "
            f"{database} to an empty database"
        )
