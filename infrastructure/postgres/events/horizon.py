"""How far the log can be read: no gap below is ever filled any more.

Positions are given out before their transactions commit, so a later one may be seen first. Whoever
inserts events announces it (``events_announced``, in the migration), and readers stop below what
any announced transaction may still fill. One that has nothing to do with events stops nobody,
however long it is open.
"""

from dataclasses import dataclass

from infrastructure.postgres.connections import Pool
from infrastructure.postgres.events.rows import fetch_from


@dataclass(frozen=True)
class HeldBack:
    """What open transactions keep from readers: how many positions, and for how long already.

    ``seconds`` is NaN where the database does not say: a prepared transaction, another role's.
    """

    positions: int
    seconds: float


class Horizon:
    """Asks the database each time."""

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
