"""Inline projections: views that are written in the transaction of the append, all or nothing.

An append of events for such a read model first locks its checkpoint, until the end of the
transaction. So these appends are serialized over all processes, and their positions are in the
order of their commits: that is the price. It folds all events since the checkpoint, so the views
are right, whatever appended before.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from application.claim_check import claim_all
from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from application.ports import Changed, CheckpointMoved, PayloadStore, StoreUnavailable, V
from application.projections.builds import Build
from application.projections.failures import ProjectionFailed
from application.projections.folding import projected
from application.projections.projection import Projection
from infrastructure.postgres.connections import Within
from infrastructure.postgres.events.appending import Answer, Append, append
from infrastructure.postgres.events.group_commit import Spoilt
from infrastructure.postgres.events.rows import COLUMNS, WANTED, fetch, recorded, wanted
from infrastructure.postgres.pools import Connection
from infrastructure.postgres.read_models.views import Views

BEHIND: Final = 1_000
"""More events than that are left to the projection's runner; appends are refused meanwhile."""

_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class _Locked:
    """A live build that no other writes before the transaction ends."""

    build: Build
    paused: bool
    checkpoint: int | None  # ``None``: it is new

    def is_of(self, projection: Projection[Any]) -> bool:
        """Whether it is filled inline here: another version is left to its own release."""
        return (self.build.name, self.build.version) == (projection.name, projection.version)


@dataclass(frozen=True)
class _Inline:
    """A projection and its events, computed once."""

    projection: Projection[Any]
    only: EventFilter

    def takes_in(self, one: Append) -> bool:
        return any(self.only.admits(one.stream, type) for type in one.types)


class InlineCommit:
    """Commits appends as :func:`append` does, and the inline views with them."""

    def __init__(
        self,
        projections: Sequence[Projection[Any]],
        payloads: PayloadStore | None,
        decoder: Decoder,
        *,
        behind: int = BEHIND,
    ) -> None:
        """Writes those of these projections that are declared inline.

        One that is more than ``behind`` events behind is left to its runner; appends are refused.
        """
        self._inline = [_Inline(of, of.events) for of in projections if of.consistency == "inline"]
        self._payloads, self._decoder, self._behind = payloads, decoder, behind
        self._prepared: frozenset[Build] = frozenset()

    async def __call__(
        self, connection: Connection, appends: Sequence[Append]
    ) -> Sequence[Answer | None]:
        """Raises what ``append`` raises, :class:`Spoilt` for an event that a projection cannot
        take in, and ``StoreUnavailable`` while one of them is far behind."""
        touched = [one for one in self._inline if any(map(one.takes_in, appends))]
        if not touched:
            return await append(connection, appends)
        for _ in range(_ATTEMPTS):
            with suppress(CheckpointMoved):  # the first events of all, from two at once
                return await self._committed(connection, appends, touched)
        raise StoreUnavailable("others keep writing the inline read models")

    async def _committed(
        self, connection: Connection, appends: Sequence[Append], touched: Sequence[_Inline]
    ) -> Sequence[Answer | None]:
        async with connection.transaction():
            locked = await _lock(connection, [one.projection.name for one in touched])
            answers = await append(connection, appends)
            ours = [
                (one, live)
                for one in touched
                for live in locked
                if live.is_of(one.projection) and not live.paused
            ]
            for one, live in ours:
                await self._take_in(connection, one, live)
        self._prepared |= {live.build for _, live in ours}
        return answers

    async def _take_in(self, connection: Connection, one: _Inline, live: _Locked) -> None:
        views = Views(Within(connection), one.projection, live.build)
        if live.build not in self._prepared:
            await views.prepare()
        if events := await self._events(connection, one, live):
            changed, parts = await self._projected(one.projection, events, views)
            await views.save(
                changed,
                parts=parts,
                events=len(events),
                checkpoint=events[-1].position,
                expected=live.checkpoint,
            )

    async def _projected(
        self, projection: Projection[V], events: Sequence[RecordedEvent], views: Views[V]
    ) -> tuple[Changed[V], Changed[Any]]:
        try:
            return await projected(projection, await claim_all(events, self._payloads), views)
        except StoreUnavailable:
            raise
        except Exception as error:
            raise Spoilt(ProjectionFailed(projection.name, events[-1], error)) from error

    async def _events(
        self, connection: Connection, one: _Inline, live: _Locked
    ) -> Sequence[RecordedEvent]:
        """All that is not in the views yet, what has just been appended too."""
        after = -1 if live.checkpoint is None else live.checkpoint
        rows = await fetch(connection, _SINCE, [after, *wanted(one.only), self._behind + 1])
        if len(rows) > self._behind:
            raise StoreUnavailable(
                f"{one.projection.name} is inline and more than {self._behind:,} events behind: "
                "its runner has to take them in first"
            )
        return [recorded(row, self._decoder) for row in rows]


async def _lock(connection: Connection, names: Sequence[str]) -> Sequence[_Locked]:
    return [
        _Locked(Build(name, version, number), paused, checkpoint)
        for name, version, number, paused, checkpoint in await fetch(
            connection, _LOCK, [list(names)]
        )
    ]


_LOCK: Final = """
SELECT name, version, number, paused IS NOT NULL, position
FROM projection_builds
LEFT JOIN LATERAL (
    SELECT position FROM projection_checkpoints AS kept
    WHERE kept.build = projection_builds.build AND shard = 0
    FOR UPDATE
) AS checkpoint ON true
WHERE role = 'live' AND name = ANY(%s)
ORDER BY name
"""


_SINCE: Final = f"""
SELECT {COLUMNS} FROM events
WHERE global_position > %s AND {WANTED}
ORDER BY global_position LIMIT %s
"""
