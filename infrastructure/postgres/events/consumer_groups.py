"""Consumer groups in PostgreSQL: a row for each group, and one for each event that is not done."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

from application.event_filter import EventFilter
from application.messages import Decoder
from application.ports import GroupInfo, no_such_group
from infrastructure.consumer import Consumer, at_work
from infrastructure.postgres.connections import connected, connected_apart, unavailable
from infrastructure.postgres.events.handing_out import ROUSE, Membership
from infrastructure.postgres.events.wake_up import WakeUp
from infrastructure.postgres.pools import Pool


class ConsumerGroups:
    """The :class:`~application.ports.ConsumerGroups` of one database.

    Each consumer has a connection of its own beside the pool's.
    """

    def __init__(self, pool: Pool, wake_up: WakeUp, decoder: Decoder) -> None:
        """A commit on ``pool`` need not wait for the disk."""
        self._pool, self._wake_up, self._decoder = pool, wake_up, decoder

    async def ensure(
        self,
        group: str,
        *,
        only: EventFilter,  # noqa: ARG002 - a group reads all, and its consumers choose
        message_timeout: float = 30.0,
    ) -> None:
        values = [group, message_timeout]
        async with connected(self._pool) as connection:
            await connection.execute(_CREATE, values)

    @asynccontextmanager
    async def consume(
        self, group: str, *, only: EventFilter, buffer: int = 100
    ) -> AsyncIterator[Consumer]:
        async with connected_apart(self._pool) as connection:
            with unavailable():
                membership = await Membership.take(connection, group, only, self._decoder)
            consumer = Consumer(membership, buffer)
            with self._wake_up.calling(consumer.announce, only):
                async with at_work(consumer, group):
                    yield consumer

    async def info(self, group: str) -> GroupInfo:
        ((in_flight,),) = await self._change(group, _FIND, _COUNT)
        return GroupInfo(group, in_flight)

    async def delete(self, group: str) -> None:
        await self._change(group, _DELETE, _DELETE_EVENTS, ROUSE)

    async def fault(self) -> str | None:
        """``None``: consumers read the log itself."""
        return None

    async def _change(
        self, group: str, first: LiteralString, *others: LiteralString
    ) -> Sequence[tuple[Any, ...]]:
        """The rows of the last statement; ``KeyError`` when the first one finds no group."""
        values = {"group": group}
        async with connected(self._pool) as connection, connection.transaction():
            found = await connection.execute(first, values)
            if not found.rowcount:
                raise no_such_group(group)
            for statement in others:
                found = await connection.execute(statement, values)
            return await found.fetchall() if found.description else []


_CREATE: Final = """
INSERT INTO consumer_groups (name, message_timeout) VALUES (%s, %s)
ON CONFLICT DO NOTHING
"""
_FIND: Final = "SELECT FROM consumer_groups WHERE name = %(group)s"
_COUNT: Final = """
SELECT count(*) FROM consumer_group_events
WHERE group_name = %(group)s AND state = 'in_flight'
"""
_DELETE: Final = "DELETE FROM consumer_groups WHERE name = %(group)s"
# A statement of its own: it sees what was written until the group's row could be locked.
_DELETE_EVENTS: Final = "DELETE FROM consumer_group_events WHERE group_name = %(group)s"
