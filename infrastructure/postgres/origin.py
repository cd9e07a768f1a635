"""The store that read models were filled from: their checkpoints are not valid for another."""

from collections.abc import Sequence

from infrastructure.postgres.connections import connected
from infrastructure.postgres.pools import Pool


async def has_events(pool: Pool) -> bool:
    """Whether events are kept here, and not only read models. Raises ``StoreUnavailable``."""
    async with connected(pool) as connection:
        found = await connection.execute("SELECT EXISTS (SELECT FROM events)")
        return await found.fetchone() == (True,)


async def filled_elsewhere(pool: Pool) -> Sequence[str]:
    """Builds that are further than the events here: they were filled from another store, or from
    events that are gone. Raises ``StoreUnavailable``."""
    async with connected(pool) as connection:
        found = await connection.execute(
            "SELECT DISTINCT build FROM projection_checkpoints "
            "JOIN projection_builds USING (build) "  # what others keep there may be no position
            "WHERE position > events_last_given() ORDER BY build"
        )
        return [build for (build,) in await found.fetchall()]
