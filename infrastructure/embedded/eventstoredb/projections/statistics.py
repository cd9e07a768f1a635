"""What is told of a projection: how it is, and how far it has come."""

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """The server's words for where a projection is in its life."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    ABORTED = "Aborted"
    FAULTED = "Faulted"


@dataclass(frozen=True)
class Statistics:
    """Times in seconds, progress in per cent. Before the projection has begun: -1."""

    name: str
    status: str
    state_reason: str = ""
    version: int = -1
    epoch: int = -1
    position: str = ""
    last_checkpoint: str = ""
    progress: float = 0.0
    events_processed: int = 0
    partitions_cached: int = 0
    working_time: float = 0.0
