"""The views of read models: small ports, so that each store fulfils those that it can.

A query is handed exactly the part that it needs. A projection declares what it needs as a whole
(:attr:`Projection.needs`), a store what it offers, and wiring refuses what does not match.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from application.projections.projection import View

V = TypeVar("V", bound=View)


@dataclass(frozen=True)
class Seen(Generic[V]):
    """A view (or a part), and the position of the last event that shaped it."""

    view: V
    position: int


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


# ── reading: what queries ask ────────────────────────────────────────────────────────────────────


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
        after: str | None = None,
        until: str | None = None,
        limit: int = 50,
    ) -> Sequence[tuple[str, Seen[V]]]:
        """Views whose fields equal all of these, in the order of their keys, at most ``limit``.

        Beyond the key ``after``, up to and with the key ``until``. ``ValueError`` for fields that
        the projection does not declare as ``indexed``, and for one that is not ``listed``. What it
        declares as ``detail`` is left at its default.

        With ``by``: in the order of that field's text, then of their keys, without those that have
        none; ``after`` is then the key of a view that there is, ``until`` a text of the field.
        """
        ...

    async def count(
        self, *, equal: Mapping[str, str], by: str | None = None, until: str | None = None
    ) -> int:
        """How many views ``find`` would find, had it no limit."""
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
    """What fields of all views come to: ``summed`` of the projection."""

    async def sums(self, fields: Collection[str], *, by: str) -> Mapping[str, Sums]:
        """Exact sums of numbers or money over all views, for each value of the field ``by``.

        Money counts with its amount: ask by currency. ``ValueError`` for fields that the projection
        does not declare as ``summed``, and for a ``by`` that its views do not have.
        """
        ...


class Views(Finding[V], Searching[V], Summing, Protocol[V]):
    """What answers queries: all parts. One that the store does not offer raises ``NotOffered``."""

    async def checkpoint(self) -> int | None:
        """The position up to which every event is shown; ``None`` before the first."""
        ...


# ── writing: what fills a build ──────────────────────────────────────────────────────────────────


class Promise(Enum):
    """How views, parts and the checkpoint of a build belong together: a store keeps one of both."""

    TOGETHER = "they change together, in one transaction, or not at all"
    AFTER = "the checkpoint changes last, and each view is guarded by the position it has seen"


class WritableViews(Protocol[V]):
    """What one shard of one build shows: views by key, parts by key, and the checkpoint.

    All methods raise ``StoreUnavailable``.
    """

    @property
    def promise(self) -> Promise:
        """What holds after a crash. ``AFTER``: events beyond the checkpoint may be in, and come
        again; whoever has folded them anew may write the result."""
        ...

    async def prepare(self) -> None:
        """Make room for views and parts, unless it is there. Raises ``NotOurs``."""
        ...

    async def checkpoint(self) -> int | None:
        """The position up to which every event of this shard is in; ``None`` before the first."""
        ...

    async def load(self, keys: Collection[str]) -> Changed[V]:
        """The views of these keys that exist, and what is known of removed ones, in one query."""
        ...

    async def load_parts(self, keys: Collection[str]) -> Changed[Any]:
        """The same for parts."""
        ...

    async def save(
        self,
        changed: Changed[V],
        *,
        parts: Changed[Any] = MappingProxyType({}),
        events: int = 0,
        checkpoint: int,
        expected: int | None,
    ) -> None:
        """Write these views and parts, and the checkpoint.

        ``events`` more have been taken in on the way. Raises ``CheckpointMoved`` unless the
        checkpoint is still ``expected``. When that is raised, or the call is cancelled or fails:

        - ``TOGETHER``: nothing was written, or, cancelled, everything may have been.
        - ``AFTER``: any of the views and parts may have been written, views before parts; the
          checkpoint was not moved, or, cancelled, everything may have been. Nothing that is there
          was replaced by something that has seen less.
        """
        ...

    async def clear(self) -> None:
        """Forget all views, all parts, and the checkpoint."""
        ...


class GuardedViews(Protocol[V]):
    """Views of one build, or its parts, in a store without transactions over several of them.

    Such as a search engine. With ``Checkpoints`` beside it, it makes ``WritableViews`` that keep
    the promise ``AFTER``: :class:`~application.projections.checkpoint_after.CheckpointAfter`.
    """

    async def prepare(self) -> None:
        """Make room for them, unless it is there. Raises ``NotOurs``."""
        ...

    async def load(self, keys: Collection[str]) -> Changed[V]:
        """Those of these keys that exist or were removed. Shows every write that has ended."""
        ...

    async def write(self, changed: Changed[V]) -> None:
        """Write each of them, unless what is there has seen an event at its position or later.

        A removed one keeps its position, which guards it like any other, but no query finds it.
        When this returns, queries see all of them. When it fails or is cancelled, each of them is
        written or is not.
        """
        ...

    async def clear(self) -> None:
        """Forget all of them, and the positions of removed ones."""
        ...
