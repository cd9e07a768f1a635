"""Which build of a read model answers queries here.

It is asked for once. From then on, a look-up by key checks in its own statement that it still is
that build, so it takes one round trip, and a swap or a rollback takes effect at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from application.ports import answering
from application.projections.builds import Build, Role, Shard
from application.projections.projection import Projection
from infrastructure.postgres.read_models.builds import Builds


@dataclass(frozen=True)
class Answering:
    """A build that answers queries, and what is needed to read it."""

    projection: Projection[Any]
    build: Build
    shards: Sequence[Shard]


class AnsweringBuilds:
    """Finds the build that answers queries, and remembers it while it is the live one."""

    def __init__(self, builds: Builds, declared: Sequence[Projection[Any]]) -> None:
        self._builds, self._declared = builds, declared
        self._live: dict[str, Answering] = {}

    async def now(self, name: str) -> Answering:
        """Raises ``NotBuilt``, ``StoreUnavailable``."""
        self._live.pop(name, None)
        projection, standing = await answering(self._builds, name, self._declared)
        found = Answering(projection, standing.build, [of.shard for of in standing.shards])
        if standing.role is Role.LIVE:  # else it answers for want of one that is known here
            self._live[name] = found
        return found

    def last_live(self, name: str) -> Answering | None:
        """The build that was live when it was asked for last: it may be another one by now."""
        return self._live.get(name)
