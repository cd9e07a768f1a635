"""Which events of a store a reader wants. An event is ours if its category and its type are.

Other systems may keep events in the same store, some with a type of ours or in a category of ours.
So both have to match.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, Self


class Placed(Protocol):
    """An event in its stream."""

    @property
    def stream(self) -> str: ...

    @property
    def type(self) -> str: ...


def kind_of(event: Placed) -> tuple[str, str]:
    """Its category and type: what a filter is made of. An event of another system may have a
    stream without a category, which is in no filter."""
    category, dash, _ = event.stream.partition("-")
    return (category if dash else "", event.type)


@dataclass(frozen=True)
class EventFilter:
    """These types of event, each in streams of its category: ``placed in wanted``."""

    pairs: frozenset[tuple[str, str]]  # category and type
    everything: bool = False
    """Whether it admits all events of the store, also those of other systems."""

    @classmethod
    def of(cls, category: str, *types: str) -> Self:
        """These types in streams of one category. ``ValueError`` for a category with a ``-``."""
        if not category or "-" in category:
            raise ValueError(f"a category is the part of a stream before '-', not {category!r}")
        return cls(frozenset((category, type) for type in types))

    @property
    def categories(self) -> frozenset[str]:
        return frozenset(category for category, _ in self.pairs)

    @property
    def types(self) -> frozenset[str]:
        """The types, in any category: stores can filter by these first."""
        return frozenset(type for _, type in self.pairs)

    def of_types(self, types: Iterable[str]) -> "EventFilter":
        """Only these types, in the categories where they are wanted."""
        kept = frozenset(types)
        return EventFilter(frozenset(pair for pair in self.pairs if pair[1] in kept))

    def in_categories(self, categories: Iterable[str]) -> "EventFilter":
        """Only what is wanted in these categories."""
        kept = frozenset(categories)
        return EventFilter(frozenset(pair for pair in self.pairs if pair[0] in kept))

    def admits(self, stream: str, type: str) -> bool:
        """Whether an event of that type in that stream is wanted."""
        category, dash, _ = stream.partition("-")
        return self.everything or (bool(dash) and (category, type) in self.pairs)

    def __contains__(self, event: Placed) -> bool:
        return self.admits(event.stream, event.type)

    def covers(self, other: "EventFilter") -> bool:
        """Whether it admits all events that the other admits."""
        return self.everything or (not other.everything and other.pairs <= self.pairs)

    def __or__(self, other: "EventFilter") -> "EventFilter":
        return EventFilter(self.pairs | other.pairs, self.everything or other.everything)

    def total(self, counted: Mapping[tuple[str, str], int]) -> int:
        """How many it admits of the events that were counted by category and type."""
        if self.everything:
            return sum(counted.values())
        return sum(counted.get(pair, 0) for pair in self.pairs)


EVERYTHING: Final = EventFilter(frozenset(), everything=True)
"""For a reader that must miss no event, whichever program has appended it."""
