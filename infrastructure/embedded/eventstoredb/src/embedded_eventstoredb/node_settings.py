"""How a node is to run."""

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
    """What can be chosen; the defaults are a single insecure node that keeps nothing."""

    data_dir: Path | None = None
    """Where the log is kept. None: nothing is."""

    host: str = LOOPBACK
    port: int = 2113
    """Where it listens. Port 0 is any free one; a cluster takes this port and the two after it."""

    advertised_host: str = ""
    """The host that members tell clients to come to, when it is not ``host``."""

    cluster: bool = False
    """Three members over one log, one leading, instead of a node alone."""

    tls: bool = False
    """Encrypted, with users: ``admin`` and ``ops``, both with password ``changeit``."""

    certificates: Path | None = None
    """Where the certificate authority is kept. None: in the data directory."""

    follower_lag: float = 0.0
    """Seconds that a member of a cluster is behind while it does not lead."""

    election_time: float = ELECTION_TIME
    """Seconds from the loss of a leader to the first append to the next one."""

    http_port: int | None = None
    """Where it answers over HTTP/1.1, on loopback: 0 is any free port. None: nowhere."""

    projections: bool = True
    """Whether the system projections run. False: they wait to be enabled."""

    max_append_size: int = 1 << 20
    """Bytes of data that one append may hold; as much as a message at most."""

    def __post_init__(self) -> None:
        """Raises ValueError for a maximum that the server would not take either."""
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
        """All that its certificate has to be good for."""
        return ("localhost", LOOPBACK, "::1", self.host, self.advertised_host or self.host)
