"""A server that is silent costs each question its whole time limit. After one, others fail at once.

For example behind a firewall that drops what it gets. A server that is down refuses at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from application.ports import StoreUnavailable

AGAIN: Final = 1.0
"""Seconds between two looks at a silent server."""


class TimedOut(StoreUnavailable):
    """The server has not answered within the time limit."""


class Silence:
    """Whether a server was silent when it was last asked."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._next = 0.0  # when to look again, by the clock of the event loop

    def begin(self, error: TimedOut) -> None:
        """The server has just not answered."""
        self._reason, self._next = str(error), _now() + AGAIN

    async def require_over(self, look: Callable[[], Awaitable[object]]) -> None:
        """Raises ``StoreUnavailable`` while the server is silent, most callers at once.

        One in ``AGAIN`` seconds asks it: by ``look``, which has to be short.
        """
        if self._reason is None:
            return
        if _now() < self._next:
            raise StoreUnavailable(self._reason)
        self._next = float("inf")  # others need not ask as well
        try:
            await look()
        except (TimedOut, asyncio.CancelledError):
            raise
        except Exception:  # an answer, too
            self._reason = None
            raise
        else:
            self._reason = None
        finally:
            self._next = _now() + AGAIN


def _now() -> float:
    return asyncio.get_running_loop().time()
