"""The write side, whole: read → fold → decide → append with the exact expected version.

On a conflict everything is read and decided anew. A command that has been carried out before is
recognised by its id in the stream and answered as the first time.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from application.categories import BY_COMMAND, Category
from application.identity import event_ids, is_first_of
from application.messages import Context, NewEvent
from application.past import Earlier, Past, RecentPasts
from application.ports import NO_STREAM, EventStore, WrongExpectedVersion
from application.snapshot_store import SnapshotStore, Tell, silent
from domain.decider import Command, DomainError, Event

RETRIES = 3


class StaleVersion(Exception):
    """The caller decided on an old version of the stream."""


class CommandIdReused(Exception):
    """A command with this id and another content has been carried out before."""


class TooMuchContention(Exception):
    """Others kept appending to the stream; trying again later may help."""


@dataclass(frozen=True)
class Outcome:
    """What a command led to. ``position`` is ``None`` when it led to no event."""

    stream: str
    version: int
    position: int | None
    events: Sequence[Event]
    repeated: bool = False


async def _pause(attempt: int) -> None:
    await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))


class CommandDispatch:
    """Carries out commands against the event store."""

    def __init__(
        self,
        store: EventStore,
        pause: Callable[[int], Awaitable[None]] = _pause,
        *,
        remember: int = 0,
        categories: Mapping[type[Command], Category] = BY_COMMAND,
        tell: Tell = silent,
    ) -> None:
        """``remember``: of how many streams it keeps what it has seen, so as to read less.

        ``tell``: is told of each snapshot that was of no use, and why.
        """
        self._store, self._pause, self._categories = store, pause, categories
        self._recent, self._snapshots = RecentPasts(remember), SnapshotStore(store, tell)

    async def __call__(
        self,
        id: str,
        command: Command,
        context: Context,
        *,
        expected_version: int | None = None,
        new: bool = False,
    ) -> Outcome:
        """Carry out ``command`` on the aggregate ``id`` of the command's category.

        ``expected_version``: the version on which the caller's wish is based, if it matters.
        ``new``: the stream most likely does not exist, so try without reading it first.
        Raises :class:`~domain.decider.DomainError`, :class:`StaleVersion`,
        :class:`CommandIdReused`, :class:`TooMuchContention`, and what the store raises.
        """
        category = self._categories[type(command)]
        past = self._recent.past(category, category.stream(id))
        if new or past.version != NO_STREAM:
            # A guess on what may be old: an append proves it right, and nothing else does.
            with suppress(WrongExpectedVersion, DomainError, StaleVersion):
                outcome = await self._decide(past, command, context, expected_version)
                if outcome.position is not None:
                    return outcome
        for attempt in range(RETRIES + 1):
            await self._snapshots.read_on(past)
            try:
                return await self._decide(past, command, context, expected_version)
            except WrongExpectedVersion:
                await self._pause(attempt)
        raise TooMuchContention(f"{past.stream} changed {RETRIES + 1} times meanwhile")

    async def _decide(
        self, past: Past, command: Command, context: Context, expected_version: int | None
    ) -> Outcome:
        if earlier := await past.of_command(context.command_id, self._store):
            return _repeat(earlier, command, context, past.stream)
        if expected_version not in (None, past.version):
            raise StaleVersion(
                f"{past.stream} is at version {past.version}, not at {expected_version}"
            )
        decided = past.category.decider.decide(command, past.state)
        if not decided:
            return Outcome(past.stream, past.version, None, ())
        ids = event_ids(context.command_id, command, len(decided))
        events = [NewEvent.of(event, id, context) for event, id in zip(decided, ids, strict=True)]
        appended = await self._store.append(past.stream, events, past.version)
        past.appended(events, decided, appended)
        await self._snapshots.keep(past, appended, context)
        return Outcome(past.stream, appended.version, appended.position, tuple(decided))


def _repeat(earlier: Earlier, command: Command, context: Context, stream: str) -> Outcome:
    if not is_first_of(earlier.first_id, context.command_id, command):
        raise CommandIdReused(f"command {context.command_id} was another one on {stream}")
    return Outcome(stream, earlier.version, earlier.position, earlier.events, repeated=True)
