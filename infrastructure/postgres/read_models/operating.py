"""What operators do to builds and their failures; each action is recorded with its note."""

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from application.ports import WrongRole
from application.projections.builds import Build, Note, OperatorAction
from infrastructure.postgres.connections import connected
from infrastructure.postgres.pools import Pool
from infrastructure.postgres.read_models.rows import NOTE, as_json, locked, record, require_build


class Operating:
    """What operators do, of the :class:`~application.ports.Builds`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def retry(self, build: Build, note: Note) -> None:
        await self._operate("retry", build, note, _FORGET, [build.table])

    async def skip(self, build: Build, event_id: UUID, note: Note) -> None:
        async with locked(self._pool) as connection:
            await require_build(connection, build)
            forgotten = await connection.execute(
                f"{_FORGET} AND failure ->> 'event_id' = %s", [build.table, str(event_id)]
            )
            if not forgotten.rowcount:
                raise WrongRole(f"{build.table} has not stopped at the event {event_id}")
            await connection.execute(_SKIP, [build.table, event_id, as_json(note)])
            await record(connection, "skip", build, note)

    async def pause(self, build: Build, note: Note) -> None:
        await self._operate("pause", build, note, _PAUSE, [as_json(note), build.table])

    async def resume(self, build: Build, note: Note) -> None:
        await self._operate("resume", build, note, _PAUSE, [None, build.table])

    async def actions(self, name: str) -> Sequence[OperatorAction]:
        async with connected(self._pool) as connection:
            found = await connection.execute(
                "SELECT action, name, version, number, note FROM projection_actions "
                "WHERE name = %s ORDER BY id DESC",
                [name],
            )
            return [
                OperatorAction(action, Build(*build), NOTE.validate_python(note))
                for action, *build, note in await found.fetchall()
            ]

    async def _operate(
        self, action: str, build: Build, note: Note, update: LiteralString, values: Sequence[object]
    ) -> None:
        async with locked(self._pool) as connection:
            await require_build(connection, build)
            await connection.execute(update, values)
            await record(connection, action, build, note)


_FORGET: Final = "UPDATE projection_runners SET failure = NULL WHERE build = %s"
_PAUSE: Final = "UPDATE projection_builds SET paused = %s WHERE build = %s"
_SKIP: Final = """
INSERT INTO projection_skips (build, event_id, note) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
