"""The write side, whole: read → fold → decide → append with the exact expected version.

On a conflict the stream is read and the command decided again. A repeated command is recognised by
its id in the stream, and returns the first outcome. In one process the commands for one stream take
turns, and those that wait together share one append.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from application.backoff import Backoff
from application.catalogue import Catalogue
from application.category import Category
from application.draft import Caller, Draft, PendingCommand
from application.draft import CommandIdReused as CommandIdReused
from application.draft import CommandOutcome as CommandOutcome
from application.draft import StaleVersion as StaleVersion
from application.loaded_stream import LoadedStream, RecentStreams
from application.messages import Context
from application.ports import NO_STREAM, EventStore, StoreUnavailable, WrongExpectedVersion
from application.snapshot_store import Report, SnapshotStore, ignore
from application.turns import PATIENCE, WAITING, Turns
from application.turns import StreamBusy as StreamBusy
from application.turns import TooMuchContention as TooMuchContention
from domain.decider import Command

RETRIES = 3
_BACKOFF: Final = Backoff(0.01, most=1.0, at_least=0.0)


class CommandDispatch:
    """Carries out commands on the streams of an event store."""

    def __init__(
        self,
        store: EventStore,
        catalogue: Catalogue,
        pause: Callable[[int], Awaitable[None]] = _BACKOFF,
        *,
        remember: int = 0,
        waiting: int = WAITING,
        patience: float = PATIENCE,
        report: Report = ignore,
    ) -> None:
        """``remember``: the number of streams that it keeps in memory, so that it reads less.

        ``waiting``, ``patience``: how many commands wait for one stream, and how many seconds.
        ``report``: called with the stream and the reason for each snapshot that is not used.
        """
        self._store, self._catalogue, self._pause = store, catalogue, pause
        self._recent, self._snapshots = RecentStreams(remember), SnapshotStore(store, report)
        self._turns = Turns(self._serve, waiting=waiting, patience=patience)

    async def __call__(
        self,
        id: str,
        command: Command,
        context: Context,
        *,
        expected_version: int | None = None,
        new: bool = False,
        category: Category | None = None,
    ) -> CommandOutcome:
        """Carry out ``command`` on the aggregate ``id`` of the command's category.

        ``expected_version``: carry it out only if the stream has this version.
        ``category``: needed where several have commands of this type, as sagas do.
        ``new``: the stream most likely does not exist, so the first attempt does not read it.
        Raises :class:`~domain.decider.DomainError`, :class:`StaleVersion`,
        :class:`CommandIdReused`, :class:`TooMuchContention` (of which :class:`StreamBusy` is one),
        and what the store raises. A cancelled command may still be carried out.
        """
        category = category or self._catalogue.by_command[type(command)]
        pending = PendingCommand(category, command, context, expected_version, new)
        return await self._turns.answer(category.stream(id), pending)

    async def _serve(self, stream: str, group: Sequence[Caller]) -> None:
        """Carry out commands for one stream; no other task of this dispatcher works on it."""
        loaded = self._recent.loaded(group[0].wanted.category, stream)
        if loaded.version != NO_STREAM or any(one.wanted.new for one in group):
            # Decide on what may be old: only a successful append proves that it was not.
            with suppress(WrongExpectedVersion):
                await self._carry_out(group, loaded, fresh=False)
        conflicts = 0
        while left := _unsettled(group):
            if conflicts > RETRIES:
                raise TooMuchContention(f"{stream} changed {conflicts} times meanwhile")
            await self._snapshots.read_on(loaded)
            try:
                await self._carry_out(left, loaded, fresh=True)
            except WrongExpectedVersion:
                await self._pause(conflicts)
                conflicts = conflicts + 1 if len(_unsettled(left)) == len(left) else 0

    async def _carry_out(
        self, group: Sequence[Caller], loaded: LoadedStream, *, fresh: bool
    ) -> None:
        """Decide one command after the other, and append their events, in few appends.

        Raises ``WrongExpectedVersion``, after which the commands without an answer have done
        nothing, and ``StoreUnavailable``, after which the outcome of these is unknown.
        """
        draft = Draft(loaded, self._catalogue, fresh=fresh)
        for one in group:
            if draft.full:
                await self._append(draft)
                draft = Draft(loaded, self._catalogue, fresh=fresh)
            await draft.take(one, self._store)
        if draft.new:
            await self._append(draft)

    async def _append(self, draft: Draft) -> None:
        loaded = draft.loaded
        try:
            appended = await self._store.append(loaded.stream, draft.new, loaded.version)
        except (WrongExpectedVersion, StoreUnavailable):
            raise
        except Exception as error:  # the store refuses an event: nothing was appended
            await self._apart(draft, error)
            return
        if len(draft.writers) > 1:
            with suppress(Exception):  # whatever it is: they have been carried out
                # a repeated append may have stored them before, at other positions
                await loaded.read_on(self._store)
        loaded.appended(draft.new, draft.events, appended)
        await self._snapshots.keep(loaded, appended, draft.context)
        draft.answer(appended)

    async def _apart(self, draft: Draft, error: Exception) -> None:
        """Find the command that cannot be stored. It gets the error; the others are carried out."""
        waiting = draft.waiting
        if len(draft.writers) == 1:
            draft.writers[0].give(error)
            halves = [waiting]
        else:
            halves = [waiting[: len(waiting) // 2], waiting[len(waiting) // 2 :]]
        for half in halves:
            await self._carry_out(_unsettled(half), draft.loaded, fresh=draft.fresh)


def _unsettled(group: Sequence[Caller]) -> Sequence[Caller]:
    return [one for one in group if not one.settled]
