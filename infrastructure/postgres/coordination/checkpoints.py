"""Checkpoints: rows that are moved by compare and set, alone or in the transaction of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from psycopg import AsyncCursor

from application.ports import CheckpointMoved
from application.ports.coordination import require_progress
from infrastructure.postgres.connections import Connections, connected
from infrastructure.postgres.pools import Connection


@dataclass(frozen=True)
class ExpectedCheckpoint:
    """A checkpoint, and where it is expected to be; ``None``: there is none yet."""

    name: str
    shard: int
    expected: int | None


class Checkpoints:
    """The :class:`~application.ports.Checkpoints` of one database, those of builds among them."""

    def __init__(self, pool: Connections) -> None:
        self._pool = pool

    async def load(self, name: str, shard: int = 0) -> int | None:
        async with connected(self._pool) as connection:
            row = await (await connection.execute(_LOAD, [name, shard])).fetchone()
        return None if row is None else int(row[0])

    async def advance(
        self, name: str, position: int, *, expected: int | None, events: int = 0, shard: int = 0
    ) -> None:
        require_progress(position, expected)
        async with connected(self._pool) as connection:
            move, values = moving(ExpectedCheckpoint(name, shard, expected), position, events)
            await require_moved(await connection.execute(move, values), name, expected)

    async def forget(self, name: str) -> None:
        async with connected(self._pool) as connection:
            await forget(connection, name)


def moving(
    place: ExpectedCheckpoint, position: int, events: int
) -> tuple[LiteralString, Sequence[object]]:
    """A statement and its values. It has a row if the checkpoint was where it was expected:
    :func:`require_moved`."""
    values = [position, events, place.name, place.shard]
    return (_FIRST, values) if place.expected is None else (_NEXT, [*values, place.expected])


async def require_moved(
    moved: AsyncCursor[tuple[Any, ...]], name: str, expected: int | None
) -> None:
    """Raises :class:`CheckpointMoved` unless that has moved a checkpoint."""
    if await moved.fetchone() is None:
        raise CheckpointMoved(f"{name} is not at {expected} any more")


async def forget(connection: Connection, name: str) -> None:
    """Remove the checkpoints of all shards."""
    await connection.execute("DELETE FROM projection_checkpoints WHERE build = %s", [name])


_LOAD: Final = "SELECT position FROM projection_checkpoints WHERE build = %s AND shard = %s"

_FIRST: Final = """
INSERT INTO projection_checkpoints (position, events, build, shard) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING position
"""

_NEXT: Final = """
UPDATE projection_checkpoints SET position = %s, events = events + %s
WHERE build = %s AND shard = %s AND position = %s RETURNING position
"""
