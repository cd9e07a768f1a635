"""The views of read models, as runners fill them, and the two promises that a store may keep."""

from collections.abc import Collection
from enum import Enum
from types import MappingProxyType
from typing import Any, Protocol

from application.ports.views import Changed, V


class Promise(Enum):
    """What a store promises of views, parts and the checkpoint of a build, crashes included."""

    TOGETHER = "they change together, in one transaction, or not at all"
    AFTER = "the checkpoint changes last, and each view is guarded by the position it has seen"


class WritableViews(Protocol[V]):
    """What one shard of one build shows: views by key, parts by key, and the checkpoint.

    All methods raise ``StoreUnavailable``.
    """

    @property
    def promise(self) -> Promise:
        """Which promise the store keeps.

        With ``AFTER``, some views and parts may have seen events beyond the checkpoint. The runner
        folds these events again, and writes what comes of it again.
        """
        ...

    async def prepare(self) -> None:
        """Make room for views and parts, unless it is there. Raises ``NotOurs``."""
        ...

    async def checkpoint(self) -> int | None:
        """The position up to which every event was handled; ``None`` before the first."""
        ...

    async def load(self, keys: Collection[str]) -> Changed[V]:
        """The existing views of these keys, and the positions of removed ones, in one query."""
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
        """Write these views and parts, and move the checkpoint past ``events`` more events.

        Raises ``CheckpointMoved`` unless the checkpoint is still ``expected``. After that, or after
        another error or a cancellation:

        - ``TOGETHER``: nothing has been written, or (not after ``CheckpointMoved``) everything.
        - ``AFTER``: any of the views has been written; parts only if all views have been, and the
          checkpoint only if everything has been. Nothing has been replaced by anything that has
          seen less.
        """
        ...

    async def clear(self) -> None:
        """Forget all views, all parts, and the checkpoint."""
        ...


class GuardedViews(Protocol[V]):
    """Views of one build, or its parts, in a store without transactions over several of them.

    With ``Checkpoints`` beside it, it makes ``WritableViews`` that keep
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
