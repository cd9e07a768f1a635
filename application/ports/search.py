"""Search engines: servers that find views by words, and share no transaction with a checkpoint."""

from collections.abc import AsyncIterator, Collection, Sequence
from decimal import Decimal
from typing import Any, Protocol

from application.ports.filling import GuardedViews
from application.ports.unavailable import StoreUnavailable
from application.ports.views import Seen, V
from application.projections.builds import Build
from application.projections.comparing import Kept
from application.projections.projection import Projection


class IndexMissing(StoreUnavailable):
    """There is no index of that build. Its runner makes it, also where one was removed."""


class SearchIndex(GuardedViews[V], Protocol[V]):
    """The views of one build, or its parts, in a search engine.

    All methods but ``filling``, ``begin`` and ``prepare`` raise :class:`IndexMissing` where there
    is no index. All raise ``StoreUnavailable``.

    ``load`` and ``search`` go to the index that is there. ``write`` goes only to the one that this
    object has prepared, begun or asked about: once another process has begun it anew, it raises
    :class:`IndexMissing`. So nothing that belongs to a lost index gets into the new one.
    """

    async def filling(self) -> int | None:
        """The number under which the index was begun; ``None`` where there is none.

        Raises ``NotOurs`` for an index of that name which is not a read model's.
        """
        ...

    async def begin(self, filling: int) -> None:
        """Make an empty index, and remove the one that was there. Raises ``NotOurs``.

        The number (1 to 2**53) stays with the index. It proves which checkpoint belongs to it.
        """
        ...

    async def search(
        self, words: Collection[str], *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        """As ``Searching``, for words as ``application.projections.words`` makes them."""
        ...


class SearchEngine(Protocol):
    """All indexes of one search engine. The views of a build and its parts have one each.

    Methods that ask the server raise ``StoreUnavailable``.
    """

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def index(self, projection: Projection[V], build: Build) -> SearchIndex[V]:
        """The index of the views of this build. Asks no server."""
        ...

    def parts(self, projection: Projection[Any], build: Build) -> SearchIndex[Any]:
        """The index of its parts, which no query reads."""
        ...

    def kept(self, build: Build, *, parts: bool = False) -> AsyncIterator[Kept]:
        """All views (or parts) of a build and all removed ones, in the order of their keys.

        From one moment, where the engine can; of a build without an index: nothing. A few at a
        time are in memory. Raises ``StoreUnavailable``.
        """
        ...

    async def show(self, build: Build) -> None:
        """Let the name of the read model lead to this build, for other programs that search.

        Raises ``IndexMissing`` while the build has no index, ``NotOurs`` and ``StoreUnavailable``.
        """
        ...

    async def remove(self, build: Build) -> None:
        """Remove the indexes of a build, where they are. Raises ``NotOurs``."""
        ...
