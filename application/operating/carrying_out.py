"""Carries out actions of operators: records who does what and why, does it, and records the end.

An action that cannot be recorded is not done. One that was sent twice is done once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.operating.action import Action, Changed, Done, Preview, Refused, Tools
from application.operating.operation import (
    OPERATION,
    BeginOperation,
    EndOperation,
    Outcome,
)
from application.ports import NotBuilt, NotOurs, StoreUnavailable, WrongRole
from application.projections.builds import Note
from application.projections.deploying import DeployRefused, Differs
from application.projections.operating import UnknownReadModel
from domain.decider import DomainError

REFUSALS: Final = (
    *(Refused, Changed, DomainError, UnknownReadModel, NotBuilt, WrongRole, NotOurs),
    *(DeployRefused, Differs),
)
"""After these nothing was changed."""
_LONGEST: Final = 2000


@dataclass
class Recording:
    """An action that is under way. ``done`` says what it did."""

    id: UUID
    done: Done | None = None


@dataclass(frozen=True)
class By:
    """The operator, the reason, and the way by which the action came."""

    name: str
    reason: str
    through: str = "command line"
    actor: str | None = None
    """As in the metadata of events: issuer and subject. ``None``: the name."""

    def note(self, at: datetime) -> Note:
        return Note(self.name, self.reason, at, self.actor or self.name)


class Operating:
    """The actions of operators on one service."""

    def __init__(
        self,
        dispatch: Callable[[], CommandDispatch],
        tools: Tools,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._dispatch, self._tools, self._clock = dispatch, tools, clock

    async def preview(self, action: Action) -> Preview:
        """What the action would do now. Raises one of ``REFUSALS``, ``StoreUnavailable``."""
        return await action.preview(self._tools)

    async def carry_out(
        self, action: Action, by: By, *, id: UUID | None = None, seen: str | None = None
    ) -> Done:
        """Do it and record it.

        ``id``: of this action, so that it is done once; ``seen``: the digest of what was shown.
        Raises one of ``REFUSALS``, ``AlreadyBegun`` or ``StoreUnavailable`` for an action that was
        not begun; after that, what the action raised, which is recorded.
        """
        preview = await self.preview(action)
        if seen is not None and seen != preview.digest:
            raise Changed("it has changed since it was shown: look again. Nothing was done.")
        async with self.recorded(
            action.name, action.target, by, preview.before, id=id
        ) as under_way:
            note = by.note(self._clock())
            under_way.done = await action.perform(self._tools, note)
        return under_way.done

    @asynccontextmanager
    async def recorded(
        self, action: str, target: str, by: By, before: str = "", *, id: UUID | None = None
    ) -> AsyncIterator[Recording]:
        """Record an action as begun, and how it ended when the block ends.

        Raises ``ValidationError`` for a name or a reason that cannot be recorded, ``AlreadyBegun``,
        and what the store raises: then the block is not entered.
        """
        under_way = Recording(id or uuid4())
        begin = BeginOperation(
            action=action,
            target=target[:200],
            by=by.name,
            reason=by.reason,
            through=by.through,
            before=_short(before),
        )
        await self._record(under_way.id, begin, by)
        try:
            yield under_way
        except REFUSALS as error:
            await self._end(under_way.id, by, Outcome.REFUSED, str(error))
            raise
        except (StoreUnavailable, TimeoutError) as error:
            await self._end(under_way.id, by, Outcome.UNKNOWN, str(error))
            raise
        except asyncio.CancelledError:
            ending = self._end(under_way.id, by, Outcome.UNKNOWN, "its process ended meanwhile")
            await asyncio.shield(asyncio.ensure_future(ending))
            raise
        except BaseException as error:
            why = f"{type(error).__name__}: {error}"
            await self._end(under_way.id, by, Outcome.FAILED, why)
            raise
        done = under_way.done or Done("done")
        await self._end(under_way.id, by, Outcome.DONE, done.what, done.after)

    async def _end(self, id: UUID, by: By, outcome: Outcome, detail: str, after: str = "") -> None:
        """What cannot be recorded now stays begun: it is shown as unknown."""
        with suppress(StoreUnavailable):
            end = EndOperation(outcome=outcome, detail=_short(detail), after=_short(after))
            await self._record(id, end, by)

    async def _record(self, id: UUID, command: BeginOperation | EndOperation, by: By) -> None:
        context = Context.start(by.actor or by.name, uuid4(), self._clock(), correlation_id=str(id))
        await self._dispatch()(str(id), command, context, category=OPERATION)


def _short(text: str) -> str:
    return text.replace("\x00", "�")[:_LONGEST]
