"""Snapshots are kept in streams of the event store itself, so on every store.

The newest snapshot of ``stock-85123A`` is the last event of ``snapshot-stock-85123A``. A snapshot
cannot fail a command: one that cannot be stored or used is reported, and all events are read.
"""

from collections.abc import Callable
from dataclasses import replace

from application.loaded_stream import LoadedStream
from application.messages import Context
from application.own_events import OWN, SNAPSHOT
from application.ports import NO_STREAM, Appended, EventStore, WrongExpectedVersion
from application.snapshots import Snapshot, SnapshotTaken, Unfit, restore, take

Report = Callable[[str, str], None]
"""Called with a stream whose snapshot is not used, and the reason."""


def ignore(_stream: str, _why: str) -> None:
    """Report nothing."""


class SnapshotStore:
    """The snapshots of all streams; does nothing for categories that declare none."""

    def __init__(self, store: EventStore, report: Report = ignore) -> None:
        self._store, self._report = store, report

    async def read_on(self, loaded: LoadedStream) -> None:
        """Apply the new events of the stream, or its snapshot and the events after it.

        Raises what the store raises for the stream itself.
        """
        if loaded.version == NO_STREAM and (snapshot := await self._newest(loaded)):
            if await loaded.begin(snapshot, self._store):
                return
            self._report(
                loaded.stream, f"its event is not in the stream at version {snapshot.version}"
            )
        await loaded.read_on(self._store)

    async def keep(self, loaded: LoadedStream, appended: Appended, context: Context) -> None:
        """Store a snapshot after an append, if one is due. ``context``: that of the command.

        Not if others have read on meanwhile: the state could end amid another append.
        """
        declared = loaded.category.snapshots
        if declared is None or loaded.version - loaded.kept.at < declared.every:
            return
        if loaded.version != appended.version:
            return
        # set before the append, so that concurrent commands do not all try
        loaded.kept = replace(loaded.kept, at=loaded.version)
        try:
            taken = take(loaded.snapshot(), declared, loaded.category.decider)
            new = OWN.new_event(taken, taken.id, _caused(taken, context))
            kept = await self._store.append(_name(loaded.stream), [new], loaded.kept.version)
            loaded.kept = replace(loaded.kept, version=kept.version)
        except WrongExpectedVersion as conflict:  # another process has stored one, which is as good
            loaded.kept = replace(loaded.kept, version=conflict.actual)
        except Exception as error:  # whatever it is: the command has been carried out
            self._report(loaded.stream, f"it could not be kept: {_said(error)}")

    async def _newest(self, loaded: LoadedStream) -> Snapshot | None:
        if (declared := loaded.category.snapshots) is None:
            return None
        snapshot = None
        try:
            async for recorded in self._store.read(_name(loaded.stream), backwards=True, limit=1):
                loaded.kept = replace(loaded.kept, version=recorded.version)
                taken = recorded.event
                if not isinstance(taken, SnapshotTaken) or taken.id != recorded.id:
                    raise Unfit("its id belongs to another content")
                snapshot = restore(taken, declared, loaded.category.decider)
        except Exception as error:  # whatever it is: the events hold the same state
            self._report(loaded.stream, _said(error))
        return snapshot


def _name(stream: str) -> str:
    return SNAPSHOT.stream(stream)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, Unfit) else f"{type(error).__name__}: {error}"


def _caused(taken: SnapshotTaken, context: Context) -> Context:
    return replace(
        context,
        command_id=taken.id,
        causation_id=str(taken.event_id),
        actor="snapshots",
        saga_id=None,
    )
