"""What follows for a saga from the news that its workflow is sent. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from application.sagas.events import SagaEvent
from application.sagas.progress import arrival, cancellation
from application.sagas.saga import Saga
from application.sagas.state import SagaState, evolve
from infrastructure.temporal.messages import Arrived, Cancelled, News


def following(saga: Saga[Any], state: SagaState, heard: Sequence[News]) -> Iterator[SagaEvent]:
    """What follows from the news, one after another."""
    for news in heard:
        event: SagaEvent | None = None
        match news:
            case Cancelled(type=None | saga.cancels.__name__, by=by, reason=reason):
                event = cancellation(state, by, reason)
            case Arrived(event_id=event_id, steps=steps):
                waits = [step.name for step, _ in saga.waits if step.name in steps]
                event = arrival(state, waits, event_id)
            case _:
                pass
        if event is not None:
            yield event
            state = evolve(state, event)
