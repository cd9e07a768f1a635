"""Read models in DynamoDB, opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.dynamodb.coordination.checkpoints import Checkpoints
from infrastructure.dynamodb.coordination.leases import Leases
from infrastructure.dynamodb.key_store import KeyStore
from infrastructure.dynamodb.opening import database_of, require_tables
from infrastructure.dynamodb.read_models.builds import Builds
from infrastructure.dynamodb.read_models.read_models import ReadModels
from infrastructure.dynamodb.store_clock import StoreClock
from infrastructure.dynamodb.tables import KEYS, READ_TABLES
from infrastructure.settings import Settings
from infrastructure.sides import Given, ReadSide


@asynccontextmanager
async def read_side(given: Given) -> AsyncIterator[ReadSide]:
    """The tables have to be there.

    Raises ``StoreUnavailable``, :class:`InvalidSettings` for settings that lead to no tables, and
    ``NotOffered``.
    """
    async with database_of(given.settings) as database:
        clock = StoreClock.of(database)
        await require_tables(given.settings, database, READ_TABLES)
        builds = Builds(database, clock)
        yield ReadSide(
            ReadModels(database, given.projections, builds),
            builds,
            Checkpoints(database),
            Leases(database, clock),
        )


@asynccontextmanager
async def key_store(settings: Settings) -> AsyncIterator[KeyStore]:
    """The table has to be there. Raises as :func:`read_side` does."""
    async with database_of(settings) as database:
        await require_tables(settings, database, [KEYS])
        yield KeyStore(database, settings.master_keys)
