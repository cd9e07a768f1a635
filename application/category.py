"""One kind of stream. A stream is named ``<category>-<id>``, such as ``order-536365``."""

from dataclasses import dataclass
from typing import Any, Self, get_args

from application.event_filter import EventFilter
from application.snapshots import Snapshots
from domain.decider import Command, Decider, Event
from domain.speed import once


@dataclass(frozen=True)
class Category:
    """One kind of stream: its decider, its commands and its events.

    ``ValueError`` for a name that is empty or has a ``-``.
    """

    name: str
    decider: Decider[Any, Any, Any]
    commands: tuple[type[Command], ...]
    events: tuple[type[Event], ...]
    snapshots: Snapshots | None = None  # for streams of many hundreds of events
    records: bool = False  # only the last event counts: others may be truncated

    def __post_init__(self) -> None:
        EventFilter.of(self.name)  # which checks the name

    @classmethod
    def of(
        cls,
        name: str,
        decider: Decider[Any, Any, Any],
        commands: Any,
        events: Any,
        snapshots: Snapshots | None = None,
    ) -> Self:
        """The category of an aggregate. Commands, events: a union, a class, or ``()`` for none."""
        return cls(name, decider, _members(commands), _members(events), snapshots)

    @classmethod
    def of_records(cls, name: str, event: type[Event]) -> Self:
        """Records of the service itself: without commands, and only the last one counts."""
        return cls(
            name, Decider(None, lambda _, last: last, lambda *_: ()), (), (event,), records=True
        )

    @once
    def own(self) -> EventFilter:
        """Its events: of its types, in its streams."""
        return self.only(*self.events)

    def only(self, *events: type[Event]) -> EventFilter:
        """These events of it. ``ValueError`` for one that it does not have."""
        if missing := [event.__name__ for event in events if event not in self.events]:
            raise ValueError(f"{self.name} has no event {', '.join(missing)}")
        return EventFilter.of(self.name, *(event.__name__ for event in events))

    def stream(self, id: str) -> str:
        """The name of one aggregate's stream."""
        return f"{self.name}-{id}"


def _members(union: Any) -> tuple[Any, ...]:
    return union if isinstance(union, tuple) else get_args(union) or (union,)


def split(stream: str) -> tuple[str, str]:
    """Category and id of a stream: ``"stock-BANK CHARGES"`` → ``("stock", "BANK CHARGES")``."""
    category, _, id = stream.partition("-")
    return category, id
