"""Performs the actions of a saga's step, and records the answers of providers.

Repeating an action is safe. The id of each of its commands names the saga, the step, the kind of
command, and the aggregate that it is for; a call to a provider goes under a key that names what it
is about. So nothing outside happens twice, in whichever order the actions of a step are performed.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from application.command_dispatch import CommandDispatch
from application.identity import uuid5
from application.messages import Context
from application.ports import Done, OutcomeUnknown, ProviderRefused, StreamUnusable
from application.sagas.actions import Action, Dispatch, OutsideCall
from application.sagas.outcomes import Refused, StepOutcome, Succeeded
from domain.decider import Command, DomainError
from domain.speed import replace

AT_ONCE: Final = 8  # actions of one step

C = TypeVar("C", bound=OutsideCall)
T = TypeVar("T")


class Record(Protocol):
    """Dispatches a command that records what a provider did. Repeated, it changes nothing."""

    async def __call__(self, id: str, command: Command, *, new: bool = False) -> None:
        """``new``: the aggregate most likely does not exist. Raises what dispatch raises."""
        ...


@dataclass(frozen=True)
class CallPerformer(Generic[C]):
    """One class of calls, and the function that performs them: asks the provider, then records.

    Performing a call again has to be safe. The function raises ``ProviderRefused`` for what will
    never be done, a decline included, and lets the other errors of the provider pass.
    """

    call: type[C]
    perform: Callable[[C, Record], Awaitable[None]]


class NoPerformer(Exception):
    """Nothing performs calls of this class: the service has to declare it."""

    def __init__(self, call: type[OutsideCall]) -> None:
        super().__init__(
            f"nothing performs {call.__name__}: add a CallPerformer({call.__name__}, …) "
            f"to the outside calls of the service"
        )


@dataclass(frozen=True)
class Performer:
    """Performs commands by dispatch, and each call by the performer of its class.

    Raises ``ValueError`` for two performers of one class of calls.
    """

    dispatch: CommandDispatch
    calls: Sequence[CallPerformer[Any]] = ()

    def __post_init__(self) -> None:
        performed = Counter(one.call for one in self.calls)
        for call, performers in performed.items():
            if performers > 1:
                raise ValueError(f"{call.__name__} has {performers} performers: declare one")

    async def __call__(self, actions: Sequence[Action], context: Context) -> StepOutcome:
        """Perform all of them, under ids that are made of the context's command id.

        Refused: at least one will never be done, others may have been. Raises what the ports raise
        when an action may work later, or may even have worked. Raises :class:`NoPerformer` before
        anything is done.
        """
        errors = await _errors_of(self._planned(actions, context))
        for error, action in zip(errors, actions, strict=True):
            if isinstance(error, DomainError | ProviderRefused | StreamUnusable):
                acted = isinstance(error, DomainError) and isinstance(action, OutsideCall)
                return Refused(_reason(error), partly=acted or len(actions) > 1)
        for error in errors:
            if error is not None:
                raise error
        return Succeeded()

    def _planned(
        self, actions: Sequence[Action], context: Context
    ) -> Sequence[Callable[[], Awaitable[None]]]:
        record = _Recording(self.dispatch, context)
        return [
            partial(record, action.id, action.command)
            if isinstance(action, Dispatch)
            else partial(self._performer(type(action)), action, record)
            for action in actions
        ]

    def _performer(self, call: type[OutsideCall]) -> Callable[[Any, Record], Awaitable[None]]:
        for one in self.calls:
            if one.call is call:
                return one.perform
        raise NoPerformer(call)


async def _errors_of(
    planned: Sequence[Callable[[], Awaitable[None]]],
) -> Sequence[BaseException | None]:
    """Perform all. They are all waited for: what is cut off may still arrive after its undoing."""
    if len(planned) == 1:  # most steps, without a task of its own
        try:
            await planned[0]()
        except Exception as error:  # whatever it is: it is looked at below
            return [error]
        return [None]
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(perform: Callable[[], Awaitable[None]]) -> None:
        async with limit:
            await perform()

    return await asyncio.gather(*map(one, planned), return_exceptions=True)


async def answer_of(
    call: Awaitable[T], find: Callable[[str], Awaitable[T | Done | None]], key: str
) -> T | Done | None:
    """The provider's answer; if none came, what it finds under the key. Raises as the call did."""
    try:
        return await call
    except OutcomeUnknown:
        if (found := await find(key)) is None:
            raise
        return found


@dataclass(frozen=True)
class _Recording:
    """Dispatches under an id that names the command and its aggregate."""

    dispatch: CommandDispatch
    context: Context

    async def __call__(self, id: str, command: Command, *, new: bool = False) -> None:
        command_id = uuid5(self.context.command_id, f"{type(command).__name__} {id}")
        await self.dispatch(id, command, replace(self.context, command_id=command_id), new=new)


def _reason(error: DomainError | ProviderRefused | StreamUnusable) -> str:
    """A provider's words need no name; the domain's fact is in the name."""
    name = f"{type(error).__name__}: " if isinstance(error, DomainError) else ""
    return f"{name}{error}"
