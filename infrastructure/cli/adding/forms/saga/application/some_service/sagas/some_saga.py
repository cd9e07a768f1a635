"""The saga ``some_saga``.

It starts with SomeStart.
After SomeCancel, all that it has done is undone.

A step returns the actions that it asks for, and those that undo it. Both are safe to repeat.
"""

from collections.abc import Sequence
from typing import Final

from application.messages import RecordedEvent
from application.sagas.actions import Action, Dispatch
from application.sagas.saga import Facts, Saga, Step
from application.sagas.saga import nothing  # if begin
# for each module
from some_module import (
    SomeName,  # for each name
)
# end for


class SomeFacts(Facts):
    id: str
    some_field: SomeType  # for each fact


def started_by(recorded: RecordedEvent) -> SomeFacts | None:
    event = recorded.event
    assert isinstance(event, SomeStart)  # nothing else starts it
    return SomeFacts(
        id=recorded.stream_id,
        some_field=event.some_field,  # for each fact
    )


# for each function
def some_function(some_parameters) -> Sequence[Action]:
    return [Dispatch(facts.id, SomeCommand(some_arguments))]


# end for
some_saga: Final = Saga(
    name="some_saga",
    version=1,
    facts=SomeFacts,
    steps=(
        Step("begin", nothing, some_begin_undo),  # if begin
        Step(some_step),  # for each step
    ),
    no_return="some_last_step",
    starts=SomeStart,
    started_by=started_by,
    cancels=SomeCancel,
)
