"""What the statistics of a projection show: its status and its progress."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

_INTERVAL: Final = 0.25  # seconds; the server's own


class Phase(Enum):
    """The server's names for the phases of a projection."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    ABORTED = "Aborted"
    FAULTED = "Faulted"
    COMPLETED = "Completed"
    DELETING = "Deleting"


@dataclass(frozen=True)
class Statistics:
    """Times in seconds, progress in per cent, -1 before the projection has begun."""

    name: str
    status: str
    state_reason: str = ""
    mode: str = "Continuous"
    version: int = -1
    epoch: int = -1
    position: str = ""
    last_checkpoint: str = ""
    progress: float = 0.0
    events_processed: int = 0
    partitions_cached: int = 0
    working_time: float = 0.0


def status(phase: Phase, run: str, *, enabled: bool) -> str:
    """Two words where a projection and its management differ, as on the server."""
    word = run if run.startswith(phase.value) else f"{phase.value}/{run}"
    at_rest = phase in (Phase.STOPPED, Phase.FAULTED)
    return f"{word} (Enabled)" if at_rest and enabled else word


class Report:
    """Statistics as last reported; they are late, as on the server.

    They are reported when a projection changes its state, and a quarter of a second after it has
    done something.
    """

    def __init__(self, take: Callable[[], Statistics]) -> None:
        self._take = take
        self._due: asyncio.TimerHandle | None = None
        self._latest = take()

    def now(self) -> None:
        """Report now."""
        self._latest = self._take()

    def soon(self) -> None:
        """Report when the interval is over."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(_INTERVAL, self._is_due)

    def stop(self) -> None:
        """Cancel a report that is due: the log is being closed."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def current(self, status: str, state_reason: str) -> Statistics:
        """The last report, with the projection's status as it is now."""
        return replace(self._latest, status=status, state_reason=state_reason)

    def _is_due(self) -> None:
        self._due = None
        self.now()
