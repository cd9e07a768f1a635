"""One some aggregate, and its rules. Stream: ``some_aggregate-<id>``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

# if refuses
from domain.decider import Command, Decider, DomainError, Event, Missing, replace
# end if
# if not refuses and several
from domain.decider import Command, Decider, Event, Missing, replace
# end if
# if not refuses and not several
from domain.decider import Command, Decider, Event, replace
# end if
from domain.values import SomeTypes  # if types

# ── events ───────────────────────────────────────────────────────────────────────────────────────


# for each command
class SomeEvent(Event):  # stored: add fields, never rename
    some_field: SomeType  # for each field
    # if not fields
    pass
    # end if


# end for
# if several
SomeAggregateEvent = (
    SomeFirstEvent  # begins it
    | SomeEvent  # for each middle
    | SomeLastEvent  # ends it
)
# end if
# if not several
SomeAggregateEvent = SomeFirstEvent
# end if

# ── state ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class SomeAggregate:
    some_event: SomeEvent | None = None  # for each command


def evolve(state: SomeAggregate, event: SomeAggregateEvent) -> SomeAggregate:
    match event:
        # for each command
        case SomeEvent():
            return replace(state, some_event=event)
        # end for
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


# for each command
class SomeCommand(Command):
    some_field: SomeType  # for each field
    # if not fields
    pass
    # end if


# end for
# if several
SomeAggregateCommand = (
    SomeFirstCommand  # begins it
    | SomeCommand  # for each middle
    | SomeLastCommand  # ends it
)
# end if
# if not several
SomeAggregateCommand = SomeFirstCommand
# end if

# if several


class UnknownSomeAggregate(Missing):
    """Nothing has been recorded under this id."""


# end if
# if first has fields
class AlreadySomeBeginning(DomainError):
    """It has happened before, with other values."""


# end if
# if middles
class AlreadySomeEnding(DomainError):
    """It has ended, and nothing else happens to it."""


# end if
# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(
    command: SomeAggregateCommand,
    state: SomeAggregate,
) -> Sequence[SomeAggregateEvent]:
    # if several
    if state.some_beginning is None and not isinstance(command, SomeFirstCommand):
        raise UnknownSomeAggregate("nothing has been recorded under this id")
    # end if
    match command:
        # for each command
        case SomeCommand():
            some_event = SomeEvent(some_arguments)
            # if begins and fields
            if state.some_event not in (None, some_event):
                raise AlreadySomeBeginning("it has happened before, with other values")
            # end if
            # if middle
            if state.some_event == some_event:
                return []  # repeating the command changes nothing
            if state.some_ending:
                raise AlreadySomeEnding("it has ended")
            return [some_event]
            # end if
            # if not middle
            return [] if state.some_event else [some_event]
            # end if
        # end for
        case _:
            assert_never(command)


decider = Decider(SomeAggregate(), evolve, decide)
