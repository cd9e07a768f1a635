"""Where snapshots are kept: in streams of the event store itself, so on every store.

The newest one of ``stock-85123A`` is the last event of ``snapshot-stock-85123A``. Nothing here can
fail a command: what cannot be kept or used is told, and the events are read as if it were not.
"""

from collections.abc import Callable
from dataclasses import replace

from application.messages import Context
from application.own_events import OWN, SNAPSHOT
from application.past import Past
from application.ports import NO_STREAM, Appended, EventStore, WrongExpectedVersion
from application.snapshots import Snapshot, SnapshotTaken, Unfit, restore, take

Tell = Callable[[str, str], None]
"""Is told the stream whose snapshot was of no use, and why."""


def silent(_stream: str, _why: str) -> None:
    """Tell nobody."""


class SnapshotStore:
    """The snapshots of all streams whose category has them; for the others it does nothing."""

    def __init__(self, store: EventStore, tell: Tell = silent) -> None:
        self._store, self._tell = store, tell

    async def read_on(self, past: Past) -> None:
        """Take in what the stream holds; one of which nothing is known, from its snapshot on.

        Raises what the store raises on reading the stream itself.
        """
        if past.version == NO_STREAM and (snapshot := await self._newest(past)):
            if await past.begin(snapshot, self._store):
                return
            self._tell(past.stream, f"its event is not in the stream at version {snapshot.version}")
        await past.read_on(self._store)

    async def keep(self, past: Past, appended: Appended, context: Context) -> None:
        """Keep the past as an append has just made it, if that is due. ``context``: its command's.

        A past that others have read on meanwhile may end amid another append: that is not kept.
        """
        declared = past.category.snapshots
        if declared is None or past.version - past.kept.at < declared.every:
            return
        if past.version != appended.version:
            return
        # Said before it is so: not each command of a busy moment shall try.
        past.kept = replace(past.kept, at=past.version)
        try:
            taken = take(past.snapshot(), declared, past.category.decider)
            new = OWN.new_event(taken, taken.id, _caused(taken, context))
            kept = await self._store.append(_name(past.stream), [new], past.kept.version)
            past.kept = replace(past.kept, version=kept.version)
        except WrongExpectedVersion as conflict:  # somebody else has kept one: as good
            past.kept = replace(past.kept, version=conflict.actual)
        except Exception as error:  # whatever it is: the command has been carried out
            self._tell(past.stream, f"it could not be kept: {_said(error)}")

    async def _newest(self, past: Past) -> Snapshot | None:
        if (declared := past.category.snapshots) is None:
            return None
        snapshot = None
        try:
            async for recorded in self._store.read(_name(past.stream), backwards=True, limit=1):
                past.kept = replace(past.kept, version=recorded.version)
                taken = recorded.event
                if not isinstance(taken, SnapshotTaken) or taken.id != recorded.id:
                    raise Unfit("its id belongs to another content")
                snapshot = restore(taken, declared, past.category.decider)
        except Exception as error:  # whatever it is: the events say the same
            self._tell(past.stream, _said(error))
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
