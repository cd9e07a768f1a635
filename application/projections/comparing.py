"""Where the views of a new build differ from those of the live one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

EXAMPLES: Final = 5
"""How many views that differ are shown."""

Document = Mapping[str, Any]
"""A view as JSON."""


@dataclass(frozen=True)
class Difference:
    """One view in both builds; ``None`` where a build has no such view."""

    key: str
    live: Document | None
    new: Document | None

    def __str__(self) -> str:
        if self.live is None:
            return f"{self.key} is only in the new build"
        if self.new is None:
            return f"{self.key} is not in the new build"
        changes = [
            f"{field} was {_short(self.live[field])}, is {_short(self.new[field])}"
            for field in self.live
            if field in self.new and self.live[field] != self.new[field]
        ]
        return f"{self.key}: {', '.join(changes)}"


@dataclass(frozen=True)
class Comparison:
    """Both builds in one snapshot, field by field where both have it.

    ``changing`` views are not compared: an event has shaped them in one build that the other may
    not have seen yet. A view that was removed meanwhile may look like one that is missing.
    """

    equal: int
    different: int
    only_live: int
    only_new: int
    changing: int = 0
    examples: Sequence[Difference] = ()  # at most EXAMPLES, by key
    gone: Collection[str] = ()  # fields that the new build's views do not have any more
    added: Collection[str] = ()  # fields that only they have

    @property
    def differing(self) -> int:
        """How many views differ in a field that both builds have, or are in one build only."""
        return self.different + self.only_live + self.only_new

    @property
    def identical(self) -> bool:
        return not self.differing

    def __str__(self) -> str:
        equal = f"{self.equal:,} views are equal"
        counts = (
            (self.different, "differ"),
            (self.only_live, "are missing"),
            (self.only_new, "are new"),
            (self.changing, "were changing and are not compared"),
        )
        return ", ".join([equal, *(f"{count:,} {what}" for count, what in counts if count)])


def alike(live: Document, new: Document) -> bool:
    """Whether both are equal in every field that both have."""
    return all(live[field] == new[field] for field in live.keys() & new.keys())


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
