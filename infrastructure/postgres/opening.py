"""Read models in PostgreSQL, opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.postgres.admission import require_admission
from infrastructure.postgres.coordination.checkpoints import Checkpoints
from infrastructure.postgres.coordination.leases import Leases
from infrastructure.postgres.key_store import KeyStore
from infrastructure.postgres.migrating import migrate
from infrastructure.postgres.origin import filled_elsewhere, has_events
from infrastructure.postgres.pools import Pool, pool
from infrastructure.postgres.read_models.builds import Builds
from infrastructure.postgres.read_models.read_models import ReadModels
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.sides import Given, ReadSide


@asynccontextmanager
async def read_side(given: Given) -> AsyncIterator[ReadSide]:
    """Brings the tables up to date first.

    Raises ``StoreUnavailable``, and :class:`InvalidSettings` for an address of no server, for a
    server that refuses us, and for read models that were filled from another event store.
    """
    views = usable(given.settings)
    await require_admission(given.settings)
    async with views as opened:
        applied = await migrate(opened)
        await _require_one_origin(given.settings, opened)
        builds = Builds(opened)
        read_models = ReadModels(opened, given.projections, builds)
        yield ReadSide(
            read_models, builds, Checkpoints(opened), Leases(opened), migrated=tuple(applied)
        )


@asynccontextmanager
async def key_store(settings: Settings) -> AsyncIterator[KeyStore]:
    """Brings the tables up to date first. Raises as :func:`read_side` does."""
    async with usable(settings, size=2) as opened:
        await migrate(opened)
        yield KeyStore(opened, settings.master_keys)


def usable(settings: Settings, *, size: int = 10) -> Pool:
    """A pool for the read models. Raises :class:`InvalidSettings` for an address of no server."""
    assert settings.postgres_uri is not None  # resolving the settings has set it
    try:
        return pool(settings.postgres_uri, size=size)
    except ValueError as error:
        raise InvalidSettings(f"{settings.name_of('postgres_uri')}: {error}") from None


async def _require_one_origin(settings: Settings, opened: Pool) -> None:
    """Raises :class:`InvalidSettings` where the read models were filled from another store."""
    store, database = settings.name_of("event_store"), settings.name_of(settings.views_in)
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
            f"are here, so they come from another store: set {store} to that one, or "
            f"{database} to an empty database"
        )
