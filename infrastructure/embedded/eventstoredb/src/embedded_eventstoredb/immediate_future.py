"""A future that calls back without waiting for the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any


class ImmediateFuture(asyncio.Future[Any]):
    """Calls back when it is done.

    A callback of asyncio runs one iteration of the event loop later.
    """

    def __init__(
        self, answered: Callable[[asyncio.Future[Any]], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(loop=loop)
        self._answered = answered

    def set_result(self, result: object) -> None:
        super().set_result(result)
        self._answered(self)

    def set_exception(self, error: type[BaseException] | BaseException) -> None:
        super().set_exception(error)
        self._answered(self)

    def cancel(self, msg: str | None = None) -> bool:
        cancelled = super().cancel(msg)
        if cancelled:
            self._answered(self)
        return cancelled
