"""Batches are written behind: while the store is at one, the next is folded on top of it.

One save at a time, each from where the one before it ends. When a save fails, everything that was
folded on top of it is given up, and the runner goes back to the checkpoint.
"""

import asyncio
from typing import Any, Final, Generic

from application.ports import (
    Changed,
    CheckpointMoved,
    Promise,
    StoreUnavailable,
    V,
    WritableViews,
)
from application.projections.projection import Projection
from application.projections.recent import KEPT, RecentViews
from application.projections.status import Progressing

NOTHING: Final = -1
"""The position before the first event."""


class NotWritten(Exception):
    """A batch cannot be written, and the next was folded on top of it: back to the checkpoint."""


AGAIN: Final = (StoreUnavailable, CheckpointMoved, NotWritten)
"""What following anew, from the checkpoint, may mend."""


class WritingBehind(Generic[V]):
    """The views that one runner fills, and where the next batch goes on."""

    def __init__(
        self, projection: Projection[V], views: WritableViews[V], progress: Progressing
    ) -> None:
        # Parts and views that are not written together are loaded together: see gathering.py.
        anew = views.promise is Promise.AFTER and projection.parts is not None
        self._name, self._progress = projection.name, progress
        self._never_ahead = anew or projection.consistency == "inline"
        self.views = RecentViews(views, 0 if anew else KEPT)
        self.checkpoint = NOTHING  # once what is being written is in the views
        self.saved_at = 0.0  # by the clock of the event loop
        self._in_flight = (NOTHING, 0, NOTHING)  # written now: from where, events, up to where
        self._careful = False

    @property
    def may_go_ahead(self) -> bool:
        """Whether the next batch may be folded before this one is in the views."""
        return not (self._never_ahead or self._careful)

    async def look(self) -> int | None:
        """The checkpoint as the store has it. Forgets what was known of the views."""
        checkpoint = await self.views.checkpoint()
        self.checkpoint = NOTHING if checkpoint is None else checkpoint
        return checkpoint

    def begin(self, views: Changed[V], parts: Changed[Any], events: int, end: int) -> None:
        """Begin to write; what was begun before has been awaited."""
        expected = None if self.checkpoint == NOTHING else self.checkpoint
        self.views.save(views, parts=parts, events=events, checkpoint=end, expected=expected)
        self.checkpoint, self._in_flight = end, (self.checkpoint, events, end)

    async def written(self) -> None:
        """Wait until what was begun is in the views. Raises what the store raised."""
        if not self.views.saving:
            return
        start, events, end = self._in_flight
        try:
            await self.views.saved()
        except BaseException:
            self.checkpoint = start
            raise
        self._progress.took_in(events, end)
        self.saved_at, self._careful = asyncio.get_running_loop().time(), False

    async def settle(self) -> None:
        """As ``written``, for the batch before. Raises :class:`NotWritten` where it has an event
        that cannot be written: then nothing goes ahead until one batch is in the views."""
        try:
            await self.written()
        except AGAIN:
            raise
        except Exception as error:
            self._careful = True
            raise NotWritten(f"{self._name} cannot be written: {error}") from error
