"""The write side, whole: read → fold → decide → append with the exact expected version.

On a conflict everything is read and decided anew. A command that has been carried out before is
recognised by its id in the stream and answered as the first time. In one process the commands for
one stream take turns, and those that wait together are appended together.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from application.backoff import Backoff
from application.catalogue import Catalogue
from application.category import Category
from application.draft import Asked, Draft, One
from application.draft import CommandIdReused as CommandIdReused
from application.draft import CommandOutcome as CommandOutcome
from application.draft import StaleVersion as StaleVersion
from application.messages import Context
from application.past import Past, RecentPasts
from application.ports import NO_STREAM, EventStore, StoreUnavailable, WrongExpectedVersion
from application.snapshot_store import SnapshotStore, Tell, silent
from application.turns import PATIENCE, WAITING, Turns
from application.turns import StreamBusy as StreamBusy
from application.turns import TooMuchContention as TooMuchContention
from domain.decider import Command

RETRIES = 3
_BACKOFF: Final = Backoff(0.01, most=1.0, at_least=0.0)


class CommandDispatch:
    """Carries out commands against the event store."""

    def __init__(
        self,
        store: EventStore,
        catalogue: Catalogue,
        pause: Callable[[int], Awaitable[None]] = _BACKOFF,
        *,
        remember: int = 0,
        waiting: int = WAITING,
        patience: float = PATIENCE,
        tell: Tell = silent,
    ) -> None:
        """``remember``: of how many streams it keeps what it has seen, so as to read less.

        ``waiting``, ``patience``: how many commands wait for one stream, and how many seconds.
        ``tell``: is told of each snapshot that was of no use, and why.
        """
        self._store, self._catalogue, self._pause = store, catalogue, pause
        self._recent, self._snapshots = RecentPasts(remember), SnapshotStore(store, tell)
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

        ``expected_version``: the version on which the caller's wish is based, if it matters.
        ``category``: which one, where commands of this type go to several, as those to sagas do.
        ``new``: the stream most likely does not exist, so try without reading it first.
        Raises :class:`~domain.decider.DomainError`, :class:`StaleVersion`,
        :class:`CommandIdReused`, :class:`TooMuchContention` (of which :class:`StreamBusy` is one),
        and what the store raises. Cancelled, it has been carried out, or not, or will be.
        """
        category = category or self._catalogue.by_command[type(command)]
        asked = Asked(category, command, context, expected_version, new)
        return await self._turns.answer(category.stream(id), asked)

    async def _serve(self, stream: str, group: Sequence[One]) -> None:
        """Carry out commands for one stream; nobody else here is at it."""
        past = self._recent.past(group[0].wanted.category, stream)
        if past.version != NO_STREAM or any(one.wanted.new for one in group):
            # A guess on what may be old: an append proves it right, and nothing else does.
            with suppress(WrongExpectedVersion):
                await self._carry_out(group, past, fresh=False)
        conflicts = 0
        while left := _unsettled(group):
            if conflicts > RETRIES:
                raise TooMuchContention(f"{stream} changed {conflicts} times meanwhile")
            await self._snapshots.read_on(past)
            try:
                await self._carry_out(left, past, fresh=True)
            except WrongExpectedVersion:
                await self._pause(conflicts)
                conflicts = conflicts + 1 if len(_unsettled(left)) == len(left) else 0

    async def _carry_out(self, group: Sequence[One], past: Past, *, fresh: bool) -> None:
        """Decide one after the other, and append what comes of it, in few appends.

        Raises ``WrongExpectedVersion`` and ``StoreUnavailable``: of those who have no answer then
        nothing was done, or it is unknown.
        """
        draft = Draft(past, self._catalogue, fresh=fresh)
        for one in group:
            if draft.full:
                await self._append(draft)
                draft = Draft(past, self._catalogue, fresh=fresh)
            await draft.take(one, self._store)
        if draft.new:
            await self._append(draft)

    async def _append(self, draft: Draft) -> None:
        past = draft.past
        try:
            appended = await self._store.append(past.stream, draft.new, past.version)
        except (WrongExpectedVersion, StoreUnavailable):
            raise
        except Exception as error:  # something in there cannot be kept: nothing was
            await self._apart(draft, error)
            return
        if len(draft.writers) > 1:
            with suppress(Exception):  # whatever it is: they have been carried out
                await past.read_on(self._store)  # where each of them stands, the store alone knows
        past.appended(draft.new, draft.events, appended)
        await self._snapshots.keep(past, appended, draft.context)
        draft.answer(appended)

    async def _apart(self, draft: Draft, error: Exception) -> None:
        """Find the command that cannot be kept: it hears why, and all others are carried out."""
        waiting = draft.waiting
        if len(draft.writers) == 1:
            draft.writers[0].give(error)
            halves = [waiting]
        else:
            halves = [waiting[: len(waiting) // 2], waiting[len(waiting) // 2 :]]
        for half in halves:
            await self._carry_out(_unsettled(half), draft.past, fresh=draft.fresh)


def _unsettled(group: Sequence[One]) -> Sequence[One]:
    return [one for one in group if not one.settled]
