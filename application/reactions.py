"""A choreographed flow: an event leads to commands. It has a consumer group of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from application.command_dispatch import CommandDispatch
from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import EventStore

O = TypeVar("O")  # noqa: E741 - what a service has outside: its ports of its own

Handle = Callable[[RecordedEvent], Awaitable[None]]


@dataclass(frozen=True)
class Tools(Generic[O]):
    """All that a reaction may use."""

    event_store: EventStore
    dispatch: CommandDispatch
    clock: Callable[[], datetime]
    outside: O


@dataclass(frozen=True)
class Reaction(Generic[O]):
    """The events of one consumer group, and their handler.

    The handler gets each event at least once, with its full data, and must be idempotent.
    """

    name: str  # of its consumer group
    events: EventFilter
    handler: Callable[[Tools[O]], Handle]
