"""Where the views of a new build differ from those of the live one."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

EXAMPLES: Final = 5
"""How many views that differ are shown."""

Document = Mapping[str, Any]
"""A view as JSON."""


class Kept(NamedTuple):
    """A view as a build has it: the position of its last event; ``None``: that removed it."""

    key: str
    position: int
    document: Document | None


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


class Tally:
    """Compares the views of two builds one by one, and counts. Keeps the first examples alone."""

    def __init__(self, place: int) -> None:
        """``place``: the position that both builds have come to, -1 for the beginning."""
        self._place = place
        self._counts: Counter[str] = Counter()
        self._examples: list[Difference] = []
        self._fields: dict[str, set[str]] = {}  # of the first view of each build

    def judge(self, key: str, live: Kept | None, new: Kept | None) -> Self:
        """Count the views of one key, as each build has it; keys come in their order."""
        found = Difference(key, live.document if live else None, new.document if new else None)
        for build, document in (("live", found.live), ("new", found.new)):
            if document is not None:
                self._fields.setdefault(build, set(document))
        if found.live is None is found.new:
            return self  # removed in both
        verdict = _verdict(found, max(one.position for one in (live, new) if one), self._place)
        self._counts[verdict] += 1
        if verdict not in ("equal", "changing") and len(self._examples) < EXAMPLES:
            self._examples.append(found)
        return self

    def comparison(self) -> Comparison:
        """What was found so far."""
        live, new = self._fields.get("live"), self._fields.get("new")
        both = live is not None and new is not None
        return Comparison(
            equal=self._counts["equal"],
            different=self._counts["different"],
            only_live=self._counts["only_live"],
            only_new=self._counts["only_new"],
            changing=self._counts["changing"],
            examples=self._examples,
            gone=sorted((live or set()) - (new or set())) if both else (),
            added=sorted((new or set()) - (live or set())) if both else (),
        )


async def compared(live: AsyncIterator[Kept], new: AsyncIterator[Kept], place: int) -> Comparison:
    """Both builds side by side, each in the order of its keys. Neither is held in memory.

    ``place`` as for :class:`Tally`: read before both, so that each shows all events up to there.
    """
    tally = Tally(place)
    async for key, of_live, of_new in _side_by_side(live, new):
        tally.judge(key, of_live, of_new)
    return tally.comparison()


async def _side_by_side(
    live: AsyncIterator[Kept], new: AsyncIterator[Kept]
) -> AsyncIterator[tuple[str, Kept | None, Kept | None]]:
    one, other = await anext(live, None), await anext(new, None)
    while one or other:
        key = min(kept.key for kept in (one, other) if kept)
        of_live = one if one and one.key == key else None
        of_new = other if other and other.key == key else None
        yield key, of_live, of_new
        if of_live:
            one = await anext(live, None)
        if of_new:
            other = await anext(new, None)


def _verdict(found: Difference, position: int, place: int) -> str:
    if position > place:
        return "changing"
    if found.new is None:
        return "only_live"
    if found.live is None:
        return "only_new"
    return "equal" if alike(found.live, found.new) else "different"


def alike(live: Document, new: Document) -> bool:
    """Whether both are equal in every field that both have."""
    return all(live[field] == new[field] for field in live.keys() & new.keys())


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
