"""Leases: rows that end by the clock of the database."""

from typing import Final

from infrastructure.postgres.connections import Connections, connected


class Leases:
    """The :class:`~application.ports.Leases` of one database."""

    def __init__(self, pool: Connections) -> None:
        self._pool = pool

    async def claim(self, name: str, holder: str, *, seconds: float) -> bool:
        async with connected(self._pool) as connection:
            return (await connection.execute(_CLAIM, [name, holder, seconds])).rowcount == 1

    async def release(self, name: str, holder: str) -> None:
        async with connected(self._pool) as connection:
            await connection.execute(
                "DELETE FROM leases WHERE name = %s AND holder = %s", [name, holder]
            )

    async def holder(self, name: str) -> str | None:
        async with connected(self._pool) as connection:
            row = await (await connection.execute(_HOLDER, [name])).fetchone()
        return None if row is None else str(row[0])


_CLAIM: Final = """
INSERT INTO leases AS held (name, holder, leased_until)
VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until
WHERE held.holder = excluded.holder OR held.leased_until <= clock_timestamp()
"""

_HOLDER: Final = "SELECT holder FROM leases WHERE name = %s AND leased_until > clock_timestamp()"
