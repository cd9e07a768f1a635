"""What a consumer of a group does in DynamoDB: takes events, settles them, leaves.

DynamoDB has no clock, and those of machines differ. So no deadline is written: each consumer
times what it sees the others hold, by its own clock from when it first saw it. A claim is never
expired early, and late at most by the time between two looks. That of a dead consumer expires once
it has given no sign of life for a while.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import uuid4

from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from application.ports import StoreUnavailable
from infrastructure.consumer import Seen, Settled, Taken
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.group import Group
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.pulse import SILENCE, Pulse
from infrastructure.dynamodb.events.seen_group import SeenGroup
from infrastructure.dynamodb.events.streams import Streams

_WATCHED: Final = 0.5  # seconds between two looks while the group holds anything
_IDLE: Final = 10.0  # the same, while it holds nothing: new events are announced
_PAGES: Final = 4  # pages of the log that one visit reads
_WORTH_MOVING: Final = 1_000  # positions without an event of the group, to be written down


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
        silence: float = SILENCE,
    ) -> None:
        self._database, self._log, self._streams = database, log, streams
        self._decoder, self._only = decoder, only
        self._consumer = uuid4().hex
        self._group = SeenGroup(database, group, self._consumer)
        self._pulse = Pulse(database, group.name, self._consumer, silence)
        self._held: set[tuple[int, int]] = set()  # position and claim, of what was handed out
        self._scanned = -1  # no event up to there is wanted after the group's own position
        self._place = 0  # the beginning of an entry, at which the scan goes on
        self.timeout = group.timeout

    @property
    def net(self) -> float:
        """Seconds until a look without a notification."""
        holds = self._group.now.claims or self._group.now.waiting
        return min(_WATCHED if holds else _IDLE, max(0.05, self.timeout / 4))

    async def keep_alive(self) -> None:
        """Give a sign of life now and then while it holds events. It runs until it is cancelled."""
        while True:
            with suppress(StoreUnavailable):  # the next one may get through
                if self._group.now.of(self._consumer):
                    await self._pulse.beat()
            await asyncio.sleep(self._pulse.every)

    async def look(self, room: int) -> Seen:
        await self._group.look()
        await self._pulse.look(self._suspects())
        return Seen(bool(self._expired() or (room and self._group.now.waiting)))

    async def visit(self, settled: Settled, room: int) -> Taken:
        more = False
        await self._pulse.look(self._suspects())

        async def change(group: Group) -> Group:
            nonlocal more
            group = group.done(settled.done).returned(self._consumer, settled.retry)
            group = group.expired(self._expired())
            new, reached, more = await self._wanted(group, room)
            taken = group.taken(self._consumer, room, new, reached)
            worth = taken.claims != group.claims or reached - group.after > _WORTH_MOVING
            return taken if worth else group

        dead = self._dead()
        await self._group.change(change)
        await self._pulse.end(dead)
        return Taken(await self._claimed(), more)

    async def leave(self, settled: Settled, unseen: Sequence[int]) -> None:
        async def change(group: Group) -> Group:
            group = group.done(settled.done).returned(self._consumer, settled.retry)
            return group.left_by(self._consumer, unseen)

        await self._group.change(change)
        await self._pulse.stop()

    def _expired(self) -> set[int]:
        """The claims that have lasted too long, and those of the dead."""
        return {
            claim.number
            for claim in self._group.now.claims
            if (held := self._group.held_for(claim)) >= self.timeout
            or (held >= self._pulse.silence and self._pulse.is_silent(claim.consumer))
        }

    def _dead(self) -> set[str]:
        gone = self._expired()
        holders = {claim.consumer for claim in self._group.now.claims if claim.number in gone}
        return {one for one in holders if self._pulse.is_silent(one)}

    def _suspects(self) -> set[str]:
        """Consumers that have held events for so long that they have to show that they live."""
        return {
            claim.consumer
            for claim in self._group.now.claims
            if claim.consumer != self._consumer and self._group.held_for(claim) >= self._pulse.every
        }

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
            for claim in self._group.now.of(self._consumer)
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
