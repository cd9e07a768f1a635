"""All consumer groups of the node: their configuration, and the tasks that wake them."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Final

from esdbclient.protos.Grpc import persistent_pb2

from embedded_eventstoredb.errors import (
    EXPECT_ANY,
    NotReady,
    Refusal,
    group_exists,
    group_failed,
    group_missing,
)
from embedded_eventstoredb.filters import Filter, in_all, parse_filter
from embedded_eventstoredb.group_records import delete_streams
from embedded_eventstoredb.group_settings import (
    ALL,
    GroupFilter,
    GroupSettings,
    decode,
    encode,
)
from embedded_eventstoredb.running_group import RunningGroup
from embedded_eventstoredb.storage import (
    MAX_VERSION,
    NewRecord,
    Record,
    Storage,
    Stream,
    Transaction,
)
from embedded_eventstoredb.streams import METADATA, append

CONFIGURATION: Final = "$persistentSubscriptionConfig"
_TICK: Final = 0.25  # seconds between two checks for timed-out events
_TICKS_TO_CHECKPOINT: Final = 4
_FilterOptions = persistent_pb2.CreateReq.AllOptions.FilterOptions


class PersistentSubscriptions:
    """The consumer groups by stream and name."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._groups: dict[str, RunningGroup] = {}
        self.starting = False
        """Whether the groups are restarting: none of them is available."""
        self._changing = asyncio.Lock()
        self._ticking: asyncio.Task[None] | None = None
        storage.on_growth(self._grown)

    def start(self) -> None:
        """Start the configured groups from their checkpoints."""
        self._run(_load(self._storage))
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> bool:
        """Drop all consumers. Returns whether there were any. Does not write checkpoints."""
        if self._ticking is not None:
            self._ticking.cancel()
        consumed = any(group.connections for group in self._groups.values())
        await self._stop_groups()
        return consumed

    def find(self, stream: str, group: str) -> RunningGroup:
        """The group. Raises a Refusal if it does not exist, or while groups restart."""
        if self.starting:
            raise NotReady
        try:
            return self._groups[f"{stream}::{group}"]
        except KeyError:
            raise group_missing(stream, group) from None

    def on(self, stream: str | None) -> list[RunningGroup]:
        """The groups on a stream (None: all).

        Raises a Refusal if it has none, or while groups restart.
        """
        if self.starting:
            raise NotReady
        found = [g for g in self._groups.values() if stream in (None, g.settings.stream)]
        if stream is not None and not found:
            raise group_missing(stream, "")
        return sorted(found, key=lambda group: group.settings.stream)

    async def create(self, settings: GroupSettings) -> None:
        """Create a group. Raises a Refusal if it exists or its settings are invalid."""
        async with self._changing:
            self._check(settings)
            if settings.key in self._groups:
                raise group_exists(settings.stream, settings.group)
            self._run([settings])
            await self._save()

    async def update(self, settings: GroupSettings) -> None:
        """Restart the group from its checkpoint with new settings; drop its consumers. Keeps the
        filter.

        Raises a Refusal if the group does not exist or its settings are invalid.
        """
        async with self._changing:
            group = self.find(settings.stream, settings.group)
            self._check(settings)
            await group.stop()
            self._run([replace(settings, filter=group.settings.filter)])
            await self._save()

    async def delete(self, stream: str, group: str) -> None:
        """Delete the group with its checkpoint and parked events; drop its consumers.

        Raises a Refusal.
        """
        async with self._changing:
            found = self.find(stream, group)
            del self._groups[found.settings.key]
            await found.stop()
            await self._save(deleted=found.settings)

    async def restart(self) -> None:
        """Stop all groups and start them again from their checkpoints; drop all consumers."""
        async with self._changing:
            self.starting = True
            await self._stop_groups()
            self._run(_load(self._storage))
            self.starting = False

    def _check(self, settings: GroupSettings) -> None:
        if fault := settings.fault(self._storage.last_position):
            raise group_failed(settings.stream, settings.group, fault)
        _wanted(settings.filter)

    def _run(self, groups: Iterable[GroupSettings]) -> None:
        for settings in groups:
            wanted = _wanted_or_failing(settings.filter)
            self._groups[settings.key] = RunningGroup(self._storage, settings, wanted)

    async def _stop_groups(self) -> None:
        groups = list(self._groups.values())
        self._groups.clear()
        await asyncio.gather(*(group.stop() for group in groups))

    async def _save(self, deleted: GroupSettings | None = None) -> None:
        groups = [group.settings for group in self._groups.values()]
        record = NewRecord("$PersistentConfig", encode(groups), is_json=True)

        def write(transaction: Transaction) -> None:
            if transaction.stream(CONFIGURATION).max_count is None:
                metadata = NewRecord(METADATA, b'{"$maxCount":2}', is_json=True)
                append(transaction, f"$${CONFIGURATION}", EXPECT_ANY, [metadata])
            append(transaction, CONFIGURATION, EXPECT_ANY, [record])
            if deleted:
                delete_streams(transaction, deleted)

        await self._storage.write(write)

    def _grown(self, streams: Mapping[str, Stream]) -> None:
        for group in self._groups.values():
            if group.settings.stream in streams or group.settings.stream == ALL:
                group.grow()

    async def _tick(self) -> None:
        for number in count(1):
            await asyncio.sleep(_TICK)
            for group in self._groups.values():
                group.tick(checkpoint=number % _TICKS_TO_CHECKPOINT == 0)


def _load(storage: Storage) -> list[GroupSettings]:
    stream = storage.stream(CONFIGURATION)
    newest = storage.read_stream(stream, MAX_VERSION, backwards=True, limit=1)
    return decode(newest[0].data) if newest else []


def _wanted(given: GroupFilter | None) -> Filter:
    """The filter of a group. Raises a Refusal if its expression is invalid."""
    if given is None:
        return in_all
    expression = _FilterOptions.Expression(regex=given.regex, prefix=given.prefixes)
    if given.by_stream:
        return parse_filter(_FilterOptions(stream_identifier=expression))
    return parse_filter(_FilterOptions(event_type=expression))


def _wanted_or_failing(given: GroupFilter | None) -> Filter:
    """A stored filter that is refused now fails its own group only."""
    try:
        return _wanted(given)
    except Refusal as refusal:
        return partial(_fail, refusal)


def _fail(refusal: Refusal, _: Record) -> bool:
    raise refusal
