"""The settings of a node."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

CLUSTER_SIZE: Final = 3
ELECTION_TIME: Final = 1.25  # as the server's
LOOPBACK: Final = "127.0.0.1"
MAX_MESSAGE: Final = (16 << 20) - 10_000
"""Bytes of a message: a record of the server's log, without its overhead."""


@dataclass(frozen=True)
class NodeSettings:
    """The settings of a node; the defaults are a single insecure node in memory."""

    data_dir: Path | None = None
    """The directory of the log. None: the log is in memory."""

    host: str = LOOPBACK
    port: int = 2113
    """Where it listens. Port 0: any free port; a cluster uses this port and the next two."""

    advertised_host: str = ""
    """The host that gossip names, if it is not ``host``."""

    cluster: bool = False
    """Three members over one log, one leading, instead of a single node."""

    tls: bool = False
    """Encrypted, with users: ``admin`` and ``ops``, both with password ``changeit``."""

    certificates: Path | None = None
    """The directory of the certificate authority. None: in the data directory."""

    follower_lag: float = 0.0
    """Seconds that followers are behind."""

    election_time: float = ELECTION_TIME
    """Seconds from the loss of a leader to the first append to the next one."""

    http_port: int | None = None
    """The port for HTTP/1.1, on loopback; 0: any free port. None: no HTTP."""

    projections: bool = True
    """Whether the system projections run. False: they wait until they are enabled."""

    max_append_size: int = 1 << 20
    """Maximum bytes of data in one append; at most the size of a message."""

    def __post_init__(self) -> None:
        """Raises ValueError for a maximum that the server would refuse, too."""
        if not 0 < self.max_append_size <= MAX_MESSAGE:
            raise ValueError(
                f"an append of {self.max_append_size} bytes cannot be the maximum: "
                f"give 1 to {MAX_MESSAGE}, which is what a message may have"
            )

    @property
    def ports(self) -> tuple[int, ...]:
        size = CLUSTER_SIZE if self.cluster else 1
        return tuple(self.port + number if self.port else 0 for number in range(size))

    @property
    def names(self) -> tuple[str, ...]:
        """All host names and addresses for its certificate."""
        return ("localhost", LOOPBACK, "::1", self.host, self.advertised_host or self.host)
