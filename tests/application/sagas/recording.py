"""Stories of any saga, for its recorded histories: its actions succeed, or one is refused."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from application.messages import Context, RecordedEvent
from application.sagas.actions import Action, Dispatch
from application.sagas.outcomes import Refused, StepOutcome, Succeeded
from application.sagas.saga import Saga
from domain.decider import Command, Event
from infrastructure.program import Program
from tests.application.sagas.world import World
from tests.contracts.saga_corpus import Story


def stories(
    program: Program[Any],
    saga: Saga[Any],
    *,
    started: Event,
    cancelled: Event,
    refused: type[Command],
) -> Mapping[str, Story]:
    """One in which all succeeds, one that is cancelled, one in which that command is refused.

    ``started`` and ``cancelled``: the events that start and cancel it. They are recorded as they
    are, and no aggregate decides: what the saga asks for is all that counts.
    """
    tell = partial(_story, program, saga)
    return {
        "completed": partial(tell, (started,)),
        "cancelled": partial(tell, (started, cancelled)),
        "refused": partial(tell, (started,), refused),
    }


async def _story(
    program: Program[Any],
    saga: Saga[Any],
    events: Sequence[Event],
    refused: type[Command] | None = None,
) -> Sequence[RecordedEvent]:
    world = _Recording(program, saga)
    world.release = lambda _: partial(_answer, refused)
    world.start()
    for version, event in enumerate(events):
        await world.happen(event, version - 1)
    await world.settle()
    return world.recorded(f"{saga.name}-{world.id}")


async def _answer(
    refused: type[Command] | None, actions: Sequence[Action], _: Context
) -> StepOutcome:
    for one in actions:
        if isinstance(one, Dispatch) and type(one.command) is refused:
            return Refused("refused in this story")
    return Succeeded()


class _Recording(World[Any]):
    """A service of which one saga is at work, and nothing else."""

    id = "a"

    def __init__(self, program: Program[Any], saga: Saga[Any]) -> None:
        self._program = program
        super().__init__(program.service, saga, ())

    def opened(self, _: Any) -> Any:
        return self._program.outside_in_memory()

    def watched_outside(self) -> Any:
        return self.outside

    async def happen(self, event: Event, expected_version: int) -> None:
        """Record it in the stream of its aggregate."""
        category = next(of for of in self.service.categories if type(event) in of.events)
        context = Context.start("somebody", uuid4(), self.now)
        new = self.service.catalogue.new_event(event, uuid4(), context)
        await self.store.append(category.stream(self.id), [new], expected_version)
