"""When a saga is due, by its events. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final

from application.event_filter import EventFilter
from application.messages import RecordedEvent, UnreadableEvent
from application.sagas.events import WaitBegun

UNSEEN: Final = timedelta(minutes=6)
"""After which a saga that should be at work is looked at: longer than a step may take."""

ENDS: Final = frozenset({"SagaCompleted", "SagaCompensated", "SagaFailed", "SagaResolved"})
STIRS: Final = frozenset(
    {"SagaStarted", "SagaWoken", "SagaRetried", "CompensationOrdered", "EventArrived"}
)
SLEEPS: Final = frozenset({"StepDelayed", "UndoDelayed", "WaitBegun"})


def events_of(saga: str) -> EventFilter:
    """The events that :func:`moment_of` knows, of sagas of one name."""
    return EventFilter.of(saga, *ENDS, *STIRS, *SLEEPS)


def moment_of(recorded: RecordedEvent, now: datetime) -> datetime | None:
    """By when its saga has to be looked at; ``None``: it has ended.

    However the clocks of machines differ: never later than was meant when the event was recorded.
    """
    if recorded.type in ENDS:
        return None
    if recorded.type in STIRS:
        return now + UNSEEN
    try:
        event: Any = recorded.event
        began = recorded.occurred_at
    except UnreadableEvent:  # the engine that handles the saga then reports it
        return now + UNSEEN
    moment: datetime = event.until if isinstance(event, WaitBegun) else event.again_at
    return min(moment, now + (moment - began))
