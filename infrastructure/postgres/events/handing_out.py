"""What a consumer of a group does in the database: takes events, settles them, leaves.

All of it is under the lock of the group's row, so the consumers of a group take turns. New events
are taken from the log up to its horizon, so that none is missed; returned events come before them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString, Self

from psycopg import AsyncCursor

from application.event_filter import EventFilter
from application.messages import Decoder
from application.ports import StoreUnavailable, no_such_group
from infrastructure.consumer import Seen, Settled, Taken
from infrastructure.postgres.connections import unavailable
from infrastructure.postgres.events.rows import COLUMNS, fetch, recorded, wanted
from infrastructure.postgres.pools import Connection

_NET: Final = 0.5  # seconds until a look without a notification: a dead consumer sends none
_WINDOW: Final = 10_000  # positions of the log that one visit looks at
_WORTH_MOVING: Final = 1_000  # positions without an event of the group, to be written down


@dataclass(frozen=True)
class _Group:
    """The group's row, locked, and what is read with it."""

    position: int
    readable: int
    held_back: bool
    gone: Sequence[int]  # consumers whose connection has ended
    expired: bool  # something in flight is
    waiting: bool  # something was returned

    @property
    def window_end(self) -> int:
        """The position up to which this visit reads the log."""
        return max(self.position, min(self.readable, self.position + _WINDOW))


class Membership:
    """One consumer as a member of its group, as long as its connection lasts.

    Every method raises :class:`StoreUnavailable`, also when the group is deleted.
    """

    net = _NET

    def __init__(
        self,
        connection: Connection,
        group: str,
        only: EventFilter,
        decoder: Decoder,
        number: int,
        timeout: float,
    ) -> None:
        self._connection, self.timeout, self._number = connection, timeout, number
        self._decoder = decoder
        self._known = {
            "group": group,
            "consumer": number,
            "timeout": timeout,
        }
        self._wanted = dict(zip(("types", "in_categories"), wanted(only), strict=True))

    @classmethod
    async def take(
        cls, connection: Connection, group: str, only: EventFilter, decoder: Decoder
    ) -> Self:
        """``KeyError`` when there is no such group."""
        ((number, _),) = await fetch(connection, _LOCK_A_NUMBER)
        found = await fetch(connection, _ENTER, {"group": group, "consumer": number})
        for (timeout,) in found:
            return cls(connection, group, only, decoder, number, timeout)
        raise no_such_group(group)

    async def look(self, room: int) -> Seen:
        """Whether there is anything to do. One statement, which locks nothing."""
        with unavailable():
            for work, held_back in await self._do(_LOOK, room=room, **self._wanted):
                return Seen(work, held_back)
        return Seen(work=True, held_back=False)  # a visit reports that the group is gone

    async def visit(self, settled: Settled, room: int) -> Taken:
        """Write what was settled; take at most ``room`` events."""
        async with self._at_once():
            locked = await self._start(_LOCK)
            await self._settle(settled)
            group = await _group_in(locked)
            waiting = group.waiting
            if group.gone or group.expired:
                await self._start(_EXPIRE)
                await self._free(group.gone)
                waiting = True
            again = await self._do(_TAKE_WAITING, room=room) if room and waiting else []
            new = await self._new(group, room - len(again))
        events = [(recorded(row[:-1], self._decoder), row[-1]) for row in (*again, *new)]
        more = len(events) < room and group.window_end < group.readable
        return Taken(events, more, group.held_back)

    async def leave(self, settled: Settled, unseen: Sequence[int]) -> None:
        """Write the settlements, leave the rest to others; ``unseen`` do not count as delivered."""
        async with self._at_once():
            locked = await self._start(_LOCK)
            await self._settle(settled)
            await self._free([self._number], unseen)
            await _group_in(locked)

    @asynccontextmanager
    async def _at_once(self) -> AsyncIterator[None]:
        """One transaction, whose statements need not be answered one by one."""
        with unavailable():
            async with self._connection.pipeline(), self._connection.transaction():
                yield

    async def _settle(self, settled: Settled) -> None:
        if settled.done:
            await self._start(_DONE, done=settled.done)
        if reasons := settled.retry:
            await self._start(_RETRY, positions=list(reasons), reasons=list(reasons.values()))
            await self._start(ROUSE)

    async def _free(self, gone: Sequence[int], unseen: Sequence[int] = ()) -> None:
        """Hand to others what those consumers hold."""
        await self._start(_FREE, gone=gone, unseen=list(unseen))
        await self._start(_FORGET, gone=gone)
        await self._start(ROUSE)

    async def _new(self, group: _Group, room: int) -> Sequence[tuple[Any, ...]]:
        after, until = group.position, group.window_end
        if not room or until == after:
            return []
        return await self._do(_TAKE_NEW, after=after, until=until, room=room, **self._wanted)

    async def _start(self, statement: str, **values: object) -> AsyncCursor[tuple[Any, ...]]:
        """In a pipeline, it need not be answered before the next."""
        values = {**self._known, **values}
        return await self._connection.execute(statement.encode(), values, prepare=True, binary=True)

    async def _do(self, statement: str, **values: object) -> Sequence[tuple[Any, ...]]:
        return await (await self._start(statement, **values)).fetchall()


async def _group_in(locked: AsyncCursor[tuple[Any, ...]]) -> _Group:
    async for row in locked:
        return _Group(*row)
    raise StoreUnavailable("the consumer group has been deleted")


ROUSE: Final[LiteralString] = "SELECT pg_notify('events_' || 'events'::regclass::oid, '')"
"""Wakes the readers that wait for events, when the transaction commits."""

_LOCK_A_NUMBER: Final = """
SELECT number, pg_advisory_lock('consumer_groups'::regclass::oid::int, number)
FROM (SELECT nextval('consumer_numbers')::int AS number) AS next
"""
_ENTER: Final = """
UPDATE consumer_groups SET consumers = consumers || %(consumer)s::int
WHERE name = %(group)s RETURNING message_timeout
"""
_GONE: Final = "ARRAY(SELECT unnest(consumers) EXCEPT SELECT consumers_present())"
_EXPIRED: Final = """
EXISTS (SELECT FROM consumer_group_events WHERE group_name = name AND state = 'in_flight'
        AND deadline <= statement_timestamp())
"""
_WAITING: Final = """
EXISTS (SELECT FROM consumer_group_events WHERE group_name = name AND state = 'waiting')
"""
_LOOK: Final = f"""
SELECT {_GONE} <> '{{}}' OR {_EXPIRED} OR readable - position > {_WORTH_MOVING}
    OR %(room)s > 0 AND ({_WAITING} OR EXISTS (
        SELECT FROM events WHERE global_position > position AND global_position <= readable
            AND event_type = ANY (%(types)s)
            AND stream_type || '-' || event_type = ANY (%(in_categories)s))),
    held_back
FROM consumer_groups, events_readable()
WHERE name = %(group)s AND %(consumer)s = ANY (consumers)
"""
_LOCK: Final = f"""
SELECT position, readable, held_back, {_GONE}, {_EXPIRED}, {_WAITING}
FROM consumer_groups, events_readable()
WHERE name = %(group)s AND %(consumer)s = ANY (consumers)
FOR UPDATE OF consumer_groups
"""
_DONE: Final = """
DELETE FROM consumer_group_events
WHERE group_name = %(group)s AND position = ANY (%(done)s::bigint[])
"""
_AGAIN: Final = "consumer = NULL, deadline = NULL, state = 'waiting', retries = retries + 1"
_RETRY: Final = f"""
UPDATE consumer_group_events AS event SET {_AGAIN}, reason = again.reason
FROM unnest(%(positions)s::bigint[], %(reasons)s::text[]) AS again (position, reason)
WHERE group_name = %(group)s AND event.position = again.position AND consumer = %(consumer)s
"""
_EXPIRE: Final = f"""
UPDATE consumer_group_events SET {_AGAIN}, reason = 'its time was out'
WHERE group_name = %(group)s AND state = 'in_flight' AND deadline <= statement_timestamp()
"""
_FREE: Final = """
UPDATE consumer_group_events
SET state = 'waiting', consumer = NULL, deadline = NULL, reason = 'its consumer has gone',
    retries = retries + (position <> ALL (%(unseen)s::bigint[]))::int
WHERE group_name = %(group)s AND state = 'in_flight' AND consumer = ANY (%(gone)s::int[])
"""
_FORGET: Final = """
UPDATE consumer_groups
SET consumers = ARRAY(SELECT unnest(consumers) EXCEPT SELECT unnest(%(gone)s::int[]))
WHERE name = %(group)s
"""
_TAKE_WAITING: Final = f"""
WITH taken AS (
    UPDATE consumer_group_events
    SET state = 'in_flight', consumer = %(consumer)s,
        deadline = clock_timestamp() + make_interval(secs => %(timeout)s)
    WHERE group_name = %(group)s AND position = ANY (ARRAY(
        SELECT position FROM consumer_group_events
        WHERE group_name = %(group)s AND state = 'waiting' ORDER BY position LIMIT %(room)s
    ))
    RETURNING position, retries
)
SELECT event.*, retries FROM taken, LATERAL (
    SELECT {COLUMNS} FROM events WHERE global_position = position
    OFFSET 0  -- each by its position: joined, the whole log might be read for them
) AS event
ORDER BY position
"""
_TAKE_NEW: Final = f"""
WITH new AS (
    SELECT {COLUMNS} FROM events
    WHERE global_position > %(after)s AND global_position <= %(until)s
        AND event_type = ANY (%(types)s)
        AND stream_type || '-' || event_type = ANY (%(in_categories)s)
    ORDER BY global_position LIMIT %(room)s
), taken AS (
    INSERT INTO consumer_group_events (group_name, position, state, consumer, deadline)
    SELECT %(group)s, global_position, 'in_flight', %(consumer)s,
        clock_timestamp() + make_interval(secs => %(timeout)s)
    FROM new
), moved AS (
    UPDATE consumer_groups SET position = CASE (SELECT count(*) FROM new)
        WHEN %(room)s THEN (SELECT max(global_position) FROM new) ELSE %(until)s END
    WHERE name = %(group)s
        AND (EXISTS (SELECT FROM new) OR %(until)s - position > {_WORTH_MOVING})
)
SELECT new.*, 0 FROM new ORDER BY global_position
"""
