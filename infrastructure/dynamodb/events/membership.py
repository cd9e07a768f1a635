"""What a consumer of a group does in DynamoDB: takes events, settles them, leaves.

DynamoDB has no clock, and those of machines differ. So no deadline is written: each consumer
times what it sees the others hold, by its own clock from when it first saw it. A claim is never
expired early, and late at most by the time between two looks.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from application.backoff import Backoff
from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from application.ports import StoreUnavailable
from infrastructure.consumer import Seen, Settled, Taken
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.group import Group
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.streams import Streams
from infrastructure.dynamodb.failures import condition_failed, is_busy, unavailable
from infrastructure.dynamodb.tables import GROUPS
from infrastructure.dynamodb.values import number, text

_WATCHED: Final = 0.5  # seconds between two looks while the group holds anything
_IDLE: Final = 2.0  # the same, while it holds nothing
_PAGES: Final = 4  # pages of the log that one visit reads
_WORTH_MOVING: Final = 1_000  # positions without an event of the group, to be written down
_RIVALS: Final = Backoff(0.005, most=0.2, at_least=0.0)
_PATIENCE: Final = 10.0  # seconds for a visit, all attempts together


class Membership:
    """One consumer as a member of its group."""

    def __init__(
        self,
        database: Database,
        log: Log,
        streams: Streams,
        decoder: Decoder,
        only: EventFilter,
        group: Group,
    ) -> None:
        self._database, self._log, self._streams = database, log, streams
        self._decoder, self._only, self._group = decoder, only, group
        self._consumer = uuid4().hex
        self._held: set[tuple[int, int]] = set()  # position and claim, of what was handed out
        self._first_seen: dict[int, float] = {}  # by claim, on this machine's clock
        self._scanned = -1  # no event up to there is wanted after the group's own position
        self._place = 0  # the beginning of an entry, at which the scan goes on
        self.timeout = group.timeout

    @property
    def net(self) -> float:
        """Seconds until a look without a notification."""
        holds = self._group.claims or self._group.waiting
        return min(_WATCHED if holds else _IDLE, max(0.05, self.timeout / 4))

    async def look(self, room: int) -> Seen:
        self._group = await self._found()
        return Seen(bool(self._expired() or (room and self._group.waiting)))

    async def visit(self, settled: Settled, room: int) -> Taken:
        more = False

        async def change(group: Group) -> Group:
            nonlocal more
            group = group.done(settled.done).returned(self._consumer, settled.retry)
            group = group.expired(self._expired())
            new, reached, more = await self._wanted(group, room)
            taken = group.taken(self._consumer, room, new, reached)
            worth = taken.claims != group.claims or reached - group.after > _WORTH_MOVING
            return taken if worth else group

        await self._write(change)
        return Taken(await self._claimed(), more)

    async def leave(self, settled: Settled, unseen: Sequence[int]) -> None:
        async def change(group: Group) -> Group:
            group = group.done(settled.done).returned(self._consumer, settled.retry)
            return group.left_by(self._consumer, unseen)

        await self._write(change)

    def _expired(self) -> set[int]:
        """The claims that have lasted too long."""
        now = time.monotonic()
        numbers = [claim.number for claim in self._group.claims]
        self._first_seen = {one: self._first_seen.get(one, now) for one in numbers}
        return {one for one, since in self._first_seen.items() if now - since >= self.timeout}

    async def _wanted(self, group: Group, room: int) -> tuple[Sequence[int], int, bool]:
        """Positions of new events for this consumer, how far the log was read, and whether there
        is more of it."""
        left = min(room - len(group.waiting), group.room)
        if left <= 0:
            return [], group.after, False
        if group.after > self._scanned or self._scanned < 0:
            self._scanned, self._place = group.after, await self._log.begin(group.after)
        found: list[int] = []
        place, reached = self._place, self._scanned
        for _ in range(_PAGES):
            entries = await self._log.read(place)
            if not entries:
                return found, reached, False
            for entry in entries:
                for tile in entry.tiles:
                    found += tile.positions(self._only, max(group.after, self._scanned))
                if len(found) >= left:
                    return found[:left], found[left - 1], True
                place, reached = entry.end, entry.end - 1
            if not found:
                self._scanned, self._place = reached, place
        return found, reached, True

    async def _claimed(self) -> Sequence[tuple[RecordedEvent, int]]:
        """What the group says this consumer holds, and was not handed out yet."""
        held = {
            (position, claim.number): retries
            for claim in self._group.of(self._consumer)
            for position, retries in claim.events.items()
        }
        new = {one: retries for one, retries in held.items() if one not in self._held}
        self._held = set(held)
        events = await self._events([position for position, _ in new])
        return [(events[at], retries) for (at, _), retries in sorted(new.items())]

    async def _events(self, positions: Sequence[int]) -> dict[int, RecordedEvent]:
        addresses = {}
        for position in positions:
            entry = await self._log.entry(position)
            tile = next(t for t in reversed(entry.tiles) if t.position <= position)
            addresses[position] = (tile.stream, tile.version)
        tiles = await self._streams.fetch(set(addresses.values()))
        recorded = (one for tile in tiles.values() for one in tile.recorded(self._decoder))
        by_position = {one.position: one for one in recorded}
        return {position: by_position[position] for position in positions}

    async def _write(self, change: Callable[[Group], Any]) -> None:
        """Change the group. Of several consumers that do so at once one is first, and the others
        do it again, on what that one has left."""
        attempt = 0
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    group: Group = await change(self._group)
                    if group == self._group or await self._replaced(group):
                        return
                    await _RIVALS(attempt)
                    attempt += 1
                    self._group = await self._found()
        except TimeoutError:
            raise StoreUnavailable("DynamoDB: the consumer group could not be changed") from None

    async def _replaced(self, group: Group) -> bool:
        """Whether the group was still as it was read, and has been replaced."""
        changed = _next_revision(group)
        with unavailable():
            try:
                await self._database.client.put_item(
                    TableName=self._database.table(GROUPS.name),
                    Item=changed.item(),
                    ConditionExpression="#id = :id AND #revision = :revision",
                    ExpressionAttributeNames={"#id": "id", "#revision": "revision"},
                    ExpressionAttributeValues={
                        ":id": text(group.id),
                        ":revision": number(group.revision),
                    },
                )
            except ClientError as error:
                if condition_failed(error) or is_busy(error):
                    return False
                raise
        self._group = changed
        self._expired()  # the time of what was taken begins now
        return True

    async def _found(self) -> Group:
        """Raises ``StoreUnavailable`` when the group has been deleted since."""
        found = await find(self._database, self._group.name)
        if found is None or found.id != self._group.id:
            raise StoreUnavailable("the consumer group has been deleted")
        return found


async def find(database: Database, name: str) -> Group | None:
    """The group as it is now. Raises ``StoreUnavailable``."""
    with unavailable():
        found = await database.client.get_item(
            TableName=database.table(GROUPS.name), Key={"name": text(name)}, ConsistentRead=True
        )
    return Group.read(found["Item"]) if "Item" in found else None


def _next_revision(group: Group) -> Group:
    return Group(
        group.name,
        group.id,
        group.timeout,
        group.revision + 1,
        group.after,
        group.claims,
        group.waiting,
    )
