"""How far the log can be read: below, no position is filled any more.

Positions are given out before their transactions commit, so a later one may become visible first.
Every insert of events announces itself (``events_announced``, in the migration), and readers stop
below the positions that an announced transaction may still fill. Transactions without events do
not stop readers.
"""

from dataclasses import dataclass

from infrastructure.postgres.events.rows import fetch_from
from infrastructure.postgres.pools import Pool


@dataclass(frozen=True)
class HeldBack:
    """What open transactions hold back from readers: positions, and seconds so far.

    ``seconds`` is NaN where it is unknown: for a prepared transaction, or one of another role.
    """

    positions: int
    seconds: float


class Horizon:
    """Queries the database each time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def readable(self) -> tuple[int, bool]:
        """The last event that can be read, and whether open transactions hold back later ones."""
        ((readable, held_back),) = await fetch_from(self._pool, _READABLE)
        return readable, held_back

    async def held_back(self) -> HeldBack:
        """Nothing is 0 positions for 0 seconds. Raises ``StoreUnavailable``."""
        ((positions, seconds),) = await fetch_from(self._pool, _HELD_BACK)
        return HeldBack(positions, seconds)


_READABLE = "SELECT readable, held_back FROM events_readable()"
_HELD_BACK = """
SELECT coalesce(max(last_given - beyond), 0),
    CASE count(*) WHEN 0 THEN 0 WHEN count(xact_start)
        THEN extract(epoch FROM max(clock_timestamp() - xact_start)) ELSE 'NaN' END::float
FROM events_last_given() AS last_given, events_announced(last_given)
LEFT JOIN pg_stat_activity ON pid = held_by
WHERE beyond < last_given
"""
