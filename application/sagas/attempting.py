"""One attempt at a step of a saga: its actions, side by side or in order, or its checks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from application.command_dispatch import TooMuchContention
from application.messages import Context
from application.ports import (
    EventStore,
    OutcomeUnknown,
    PayloadUnavailable,
    ProviderUnavailable,
    StoreUnavailable,
    StreamUnusable,
)
from application.sagas.actions import Action
from application.sagas.outcomes import Faulted, Refused, StepOutcome, Succeeded
from application.sagas.progress import Do, NextAction
from application.sagas.saga import Check
from domain.decider import DomainError

ERROR: Final = 500  # characters that are kept of one

FAULTS: Final = (
    StoreUnavailable,
    PayloadUnavailable,
    ProviderUnavailable,
    OutcomeUnknown,
    TooMuchContention,
    TimeoutError,
)
"""Errors that may pass by themselves. Any other is a bug, which a retry does not remove."""

Perform = Callable[[Sequence[Action], Context], Awaitable[StepOutcome]]


async def attempt(
    action: NextAction[Any],
    perform: Perform,
    store: EventStore,
    context: Context,
    patience: timedelta,
) -> StepOutcome:
    """The outcome, within that time. Raises any bug."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await _attempt(action, perform, store, context)
    except FAULTS as error:
        return Faulted(f"{type(error).__name__}: {error}"[:ERROR])


async def _attempt(
    action: NextAction[Any], perform: Perform, store: EventStore, context: Context
) -> StepOutcome:
    if isinstance(action, Do) and action.checks:
        return await _check(action.checks, store)
    if action.step.in_order:
        return await _in_order(action.actions, perform, context)
    return await perform(action.actions, context)


async def _in_order(actions: Sequence[Action], perform: Perform, context: Context) -> StepOutcome:
    """One after the other, up to the first that is refused."""
    for number, one in enumerate(actions):
        outcome = await perform([one], context)
        match outcome:
            case Refused(reason, partly):
                return Refused(reason, partly=partly or number > 0)
            case Faulted():
                return outcome
    return Succeeded()


async def _check(checks: Sequence[Check], store: EventStore) -> StepOutcome:
    """Whether all hold. Nothing is recorded in the streams that are read."""
    for check in checks:
        try:
            past = [recorded.event async for recorded in store.read(check.stream)]
            check.require(check.decider.fold(past))
        except (DomainError, StreamUnusable) as error:
            return Refused(f"{type(error).__name__}: {error}"[:ERROR])
    return Succeeded()
