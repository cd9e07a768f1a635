"""The rules of one some aggregate, one sentence each."""

import pytest  # if several

from domain.some_aggregates import (
    AlreadySomeBeginning,  # if first has fields
    AlreadySomeEnding,  # if middles
    SomeAggregateCommand,  # if several
    SomeCommand,  # for each command
    SomeEvent,  # for each command
    UnknownSomeAggregate,  # if several
    decider,
)
from domain.values import Money  # if money
from tests.specification import Specification

some_aggregate = Specification(decider)

# for each command
SOME_COMMAND = SomeCommand(some_samples)
SOME_EVENT = SomeEvent(some_samples)
# end for


# for each command
# if begins
def test_some_fact_happens_once() -> None:
    """Repeating the command adds nothing."""
    some_aggregate.given().when(SOME_COMMAND).then(SOME_EVENT)
    some_aggregate.given(SOME_EVENT).when(SOME_COMMAND).then_nothing()


# if fields
def test_some_fact_keeps_its_values() -> None:
    """An id is one some aggregate: the command is refused if its values are others."""
    other = SomeCommand(some_other_samples)
    some_aggregate.given(SOME_EVENT).when(other).then_refused(AlreadySomeBeginning)


# end if
# end if
# if middle
def test_some_fact_happens_once() -> None:
    """Repeating the command adds nothing."""
    some_aggregate.given(SOME_BEGINNING).when(SOME_COMMAND).then(SOME_EVENT)
    some_aggregate.given(SOME_BEGINNING, SOME_EVENT).when(SOME_COMMAND).then_nothing()


def test_some_fact_does_not_follow_the_end() -> None:
    """The command is refused once the some aggregate has ended."""
    history = (SOME_BEGINNING, SOME_ENDING)
    some_aggregate.given(*history).when(SOME_COMMAND).then_refused(AlreadySomeEnding)


# end if
# if ends
def test_some_fact_happens_once() -> None:
    """Repeating the command adds nothing."""
    some_aggregate.given(SOME_BEGINNING).when(SOME_COMMAND).then(SOME_EVENT)
    some_aggregate.given(SOME_BEGINNING, SOME_EVENT).when(SOME_COMMAND).then_nothing()


# end if
# end for
# if several
@pytest.mark.parametrize(
    "command",
    [
        SOME_COMMAND,  # for each later
    ],
)
def test_it_has_to_begin(command: SomeAggregateCommand) -> None:
    """A command is refused if nothing has been recorded under that id."""
    some_aggregate.given().when(command).then_refused(UnknownSomeAggregate)
# end if
