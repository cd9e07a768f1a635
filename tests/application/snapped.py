"""Accounts with snapshots: the table as a service would declare it, and a store that is watched."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from application.catalogue import Catalogue
from application.command_dispatch import CommandDispatch
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import NO_STREAM, Appended, EventStore, StoreUnavailable
from application.snapshots import Snapshots, SnapshotTaken
from domain.decider import Command
from tests.sample.accounts import Deposit, Hold
from tests.sample.service import SAMPLE

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def declared(every: int, version: int = 1, of: Catalogue = SAMPLE.catalogue) -> Catalogue:
    """Such a catalogue, but for the snapshots that every category has."""
    snapshots = Snapshots(every=every, version=version)
    return Catalogue(
        (replace(one, snapshots=snapshots) if one.commands else one for one in of.categories),
        of.upcasters,
    )


class Watched:
    """An event store that notes how many events each read has brought; snapshots may be away."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self.reads: list[tuple[str, int]] = []
        self.snapshots_away = False

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        self._refuse(stream)
        return await self._store.append(stream, events, expected_version)

    async def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        self._refuse(stream)
        brought = 0
        async for recorded in self._store.read(
            stream, from_version=from_version, backwards=backwards, limit=limit
        ):
            brought += 1
            yield recorded
        self.reads.append((stream, brought))

    def _refuse(self, stream: str) -> None:
        if self.snapshots_away and stream.startswith("snapshot-"):
            raise StoreUnavailable("the disk of snapshots is full")


class Account:
    """An account of a test's own, each command carried out by a process that forgets."""

    def __init__(self, store: EventStore, *, every: int = 10, version: int = 1) -> None:
        self.watched = Watched(store)
        self.id, self.every, self.version = f"a.{uuid4().hex}", every, version
        self.told: list[str] = []

    @property
    def stream(self) -> str:
        return f"account-{self.id}"

    async def ask(self, command: Command, command_id: UUID | None = None) -> int:
        """Carry it out; the version it led to."""
        context = Context.start("a test", command_id or uuid4(), NOON)
        return (await self.process()(self.id, command, context)).version

    def process(self, *, remember: int = 0) -> CommandDispatch:
        """What a process has that has just been started."""
        return CommandDispatch(
            self.watched,
            declared(self.every, self.version),
            remember=remember,
            report=lambda _, why: self.told.append(why),
        )

    async def deposit(self, times: int) -> None:
        """1 each time."""
        for _ in range(times):
            await self.ask(Deposit(deposit_id=f"d-{uuid4().hex}", amount=1))

    async def hold(self, amount: int) -> int:
        return await self.ask(Hold(transfer_id=f"t-{uuid4().hex}", amount=amount))

    async def snapshots(self) -> Sequence[RecordedEvent]:
        return [one async for one in self.watched.read(f"snapshot-{self.stream}")]

    async def newest(self) -> SnapshotTaken:
        newest = (await self.snapshots())[-1].event
        assert isinstance(newest, SnapshotTaken)
        return newest

    async def plant(self, taken: SnapshotTaken, *, id: UUID | None = None) -> None:
        """Have another one be the newest."""
        event = SAMPLE.catalogue.new_event(
            taken, id or taken.id, Context.start("a test", uuid4(), NOON)
        )
        await self.plant_event(event)

    async def plant_event(self, event: NewEvent) -> None:
        version = max((one.version for one in await self.snapshots()), default=NO_STREAM)
        await self.watched.append(f"snapshot-{self.stream}", [event], version)
