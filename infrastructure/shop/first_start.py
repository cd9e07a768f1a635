"""The first start on an empty store of its own imports a sample of a real order history."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from application.ports import Progress, Subscriptions
from application.shop.read_models.order_summary import order_summary


class FirstStart:
    """Whether the sample still has to be imported: a file marks an import that has begun."""

    def __init__(self, home: Path, subscriptions: Subscriptions) -> None:
        self._unfinished = home / "sample-unfinished"
        self._subscriptions = subscriptions

    async def is_due(self) -> bool:
        """True when the store holds no order, or when an import of the sample was interrupted."""
        return self._unfinished.exists() or await self._is_empty()

    @asynccontextmanager
    async def remembered(self) -> AsyncIterator[None]:
        """Mark the import as begun; remove the mark when it has succeeded."""
        self._unfinished.touch()
        yield
        self._unfinished.unlink()

    async def _is_empty(self) -> bool:
        async with self._subscriptions.catch_up(after=None, only=order_summary.events) as messages:
            async for message in messages:
                match message:
                    case Progress(caught_up=caught_up):
                        if caught_up:
                            return True
                    case _:
                        return False
        return True
