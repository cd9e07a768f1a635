"""The views of read models, as queries read them: small ports, of which a store fulfils some.

A query is typed with the part that it uses. A projection declares what its queries need, a store
what it offers, and wiring refuses what does not match (``application/projections/abilities.py``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, Literal, Protocol, TypeVar

from application.projections.projection import View
from domain.speed import slotted

V = TypeVar("V", bound=View)


@slotted
class Seen(Generic[V]):
    """A view (or a part), and the position of the last event that shaped it.

    One that is to be saved has the view that the store has ``before``: what is the same object in
    both need not be written again.
    """

    view: V
    position: int
    before: V | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Removed:
    """A view (or a part) that is not there any more since the event at this position."""

    position: int


Changed = Mapping[str, Seen[V] | Removed]
"""Views (or parts) by key, as they are after some events."""


@dataclass(frozen=True)
class Sums:
    """How many views there are, and what their fields come to."""

    views: int
    fields: Mapping[str, Decimal]


@dataclass(frozen=True)
class Total:
    """How many there are, for people: exactly, or a bound that costs less."""

    number: int
    bound: Literal["exactly", "at least", "at most"] = "exactly"

    @classmethod
    def shown(cls, items: int, *, whole: bool, more: bool = False) -> "Total | None":
        """What one page shows of it: all there is, or that there are at least so many.

        ``whole``: nothing is on another page; ``more``: something is, for sure. ``None``: it shows
        nothing at all.
        """
        if whole:
            return cls(items)
        return cls(items + more, "at least") if items + more else None

    @property
    def exact(self) -> bool:
        return self.bound == "exactly"

    def __str__(self) -> str:
        return f"{self.number:,}" if self.exact else f"{self.bound} {self.number:,}"


class Lookup(Protocol[V]):
    """Views by their keys: every store can do that."""

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        """The views of these keys that exist, in one query. Detail included."""
        ...


class Finding(Lookup[V], Protocol[V]):
    """Pages of views, by fields or by key: ``indexed`` and ``listed`` of the projection."""

    async def find(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
        after: str | None = None,
        descending: bool = False,
        limit: int = 50,
    ) -> Sequence[tuple[str, Seen[V]]]:
        """Views whose fields equal all of these, in the order of their keys, at most ``limit``.

        With keys from ``since`` to ``until``, both included, and behind the key ``after`` in the
        order of this page: ``descending``, or not. ``ValueError`` for fields that the projection
        does not declare as ``indexed``, and for one that is not ``listed``. What it declares as
        ``detail`` is left at its default.

        With ``by``: in the order of that field's text, then of their keys, without those that have
        none; ``since`` and ``until`` are then texts of the field, ``after`` is the key of a view
        that there is.
        """
        ...

    async def count(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> int:
        """How many views ``find`` would find, had it no limit."""
        ...

    async def total(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> Total:
        """The same for a list: a store that has to read what it counts ends after some thousand."""
        ...


class Searching(Lookup[V], Protocol[V]):
    """Views by words: ``searched`` and ``ranked`` of the projection."""

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        """Views in whose ``searched`` fields every one of these words begins a word.

        Case, order and punctuation do not matter. Largest ``ranked`` first, then by key; beyond
        that rank and key. No word at all finds everything. Detail is left at its default.
        ``ValueError`` for a projection that declares nothing as ``searched`` or ``ranked``.
        """
        ...


class Summing(Protocol):
    """What fields of views come to: ``summed`` of the projection."""

    async def sums(
        self,
        fields: Collection[str],
        *,
        by: str,
        equal: Mapping[str, str] | None = None,
        after: str | None = None,
        until: str | None = None,
    ) -> Mapping[str, Sums]:
        """Exact sums of numbers or money, for each value of the field ``by``: over all views, or
        over those that ``find`` would find, had it no limit.

        Money counts with its amount: ask by currency. ``ValueError`` for fields that the projection
        does not declare as ``summed`` or as ``indexed``, and for a ``by`` that its views do not
        have.
        """
        ...


class Views(Finding[V], Searching[V], Summing, Protocol[V]):
    """What answers queries: all parts. One that the store does not offer raises ``NotOffered``."""

    async def checkpoint(self) -> int | None:
        """The position up to which every event is shown; ``None`` before the first."""
        ...
