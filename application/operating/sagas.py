"""Actions on one saga: retry, compensate, resolve."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import uuid4

from application.messages import Context
from application.operating.action import Done, Preview, Refused, Tools
from application.projections.builds import Note
from application.sagas.lookup import SagaName
from application.sagas.operating import (
    CompensateSaga,
    ResolveSaga,
    RetrySaga,
    SagaCommand,
    decide,
    saga_category,
)
from application.sagas.state import SagaState, evolve


class SagaAction(StrEnum):
    RETRY = "retry"
    COMPENSATE = "compensate"
    RESOLVE = "resolve"


_COMMANDS: Final[Mapping[SagaAction, type[SagaCommand]]] = {
    SagaAction.RETRY: RetrySaga,
    SagaAction.COMPENSATE: CompensateSaga,
    SagaAction.RESOLVE: ResolveSaga,
}
_DOES: Final[Mapping[SagaAction, str]] = {
    SagaAction.RETRY: "Tries again at once what it waits for, or failed at.",
    SagaAction.COMPENSATE: "Undoes all that it has done, the last step first.",
    SagaAction.RESOLVE: "Closes it: somebody has settled it by other means.",
}
DONE: Final[Mapping[SagaAction, str]] = {
    SagaAction.RETRY: "is to try again at once",
    SagaAction.COMPENSATE: "is to undo all that it has done",
    SagaAction.RESOLVE: "is closed",
}
NOTHING: Final[Mapping[SagaAction, str]] = {
    SagaAction.RETRY: "no attempt has failed that could be made again",
    SagaAction.COMPENSATE: "that is under way or done already",
    SagaAction.RESOLVE: "it was closed before",
}


@dataclass(frozen=True)
class OnSaga:
    """One of these, on one saga."""

    what: SagaAction
    saga: SagaName
    long: bool = False

    @property
    def name(self) -> str:
        return f"saga {self.what}"

    @property
    def target(self) -> str:
        return str(self.saga)

    async def preview(self, tools: Tools) -> Preview:
        """Raises :class:`Refused` for an unknown saga, and the refusals of sagas."""
        state = await self._state(tools)
        changes = bool(decide(_COMMANDS[self.what](by="preview", reason="preview"), state))
        return Preview(
            does=_DOES[self.what] if changes else f"Changes nothing: {NOTHING[self.what]}.",
            number=int(changes),
            unit="saga",
            examples=[f"{self.saga}, {state.status}"],
            before=_described(state),
            warnings=_warnings(self.what, state),
        )

    async def perform(self, tools: Tools, note: Note) -> Done:
        command = _COMMANDS[self.what](by=note.by, reason=note.reason)
        category = saga_category(self.saga.saga)
        context = _started(note.acts_as, note.at)
        outcome = await tools.dispatch()(self.saga.id, command, context, category=category)
        if not outcome.events:
            return Done(f"saga {self.saga}: nothing was recorded: {NOTHING[self.what]}")
        after = _described(await self._state(tools))
        return Done(f"saga {self.saga} {DONE[self.what]}", after)

    async def _state(self, tools: Tools) -> SagaState:
        """Of its own stream: it is the truth, whatever engine drives it."""
        if self.saga.saga not in tools.sagas:
            raise Refused(f"there is no saga {self.saga.saga}, but {', '.join(tools.sagas)}")
        state = SagaState()
        async for recorded in tools.store().read(str(self.saga)):
            state = evolve(state, recorded.event)  # type: ignore[arg-type]  # its stream has no other
        return state


def _started(by: str, at: datetime) -> Context:
    return Context.start(by, uuid4(), at)


def _described(state: SagaState) -> str:
    doing = state.under_way if state.under_way else ""
    tried = f", {state.attempts} attempts failed" if state.attempts else ""
    return f"{state.status}{f' at {doing}' if doing else ''}{tried}"


def _warnings(what: SagaAction, state: SagaState) -> list[str]:
    if what is SagaAction.RESOLVE:
        return ["Nothing is undone or done any more: what it has done so far stays."]
    if what is SagaAction.COMPENSATE and state.to_undo:
        return [f"Undoes {', '.join(reversed(state.to_undo))}."]
    return []
