"""Where the views of all builds are."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Protocol

from application.ports.builds import Builds
from application.ports.filling import WritableViews
from application.ports.views import V, Views
from application.projections.abilities import Ability
from application.projections.builds import (
    WHOLE,
    Build,
    BuildStanding,
    Shard,
    readable,
    unreadable,
)
from application.projections.comparing import Comparison, Document
from application.projections.projection import Projection


class ReadModels(Protocol):
    """The views of all builds in one store.

    Making one raises ``NotOffered`` for a projection that needs what this store does not offer.
    """

    @property
    def offers(self) -> Collection[Ability]:
        """What can be done with views here, besides looking them up."""
        ...

    async def live(self, projection: Projection[V]) -> Views[V]:
        """The views that answer queries now: of the live build, if its version is declared here.

        Else of the newest build there is of a declared version: a process of the last release goes
        on with what it knows. Raises :class:`NotBuilt` when there is none, ``StoreUnavailable``.
        """
        ...

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> WritableViews[V]:
        """The views of one build, whatever its role, for the runner that fills it."""
        ...

    async def compare(self, live: Build, build: Build) -> Comparison:
        """What two builds of a read model show, in one snapshot, even while events come in.

        Compared are all views that no event has shaped since both builds were at the same place.
        Raises ``StoreUnavailable``.
        """
        ...

    def documents(self, build: Build) -> AsyncIterator[tuple[str, Document]]:
        """All views and parts that are kept of a build, as JSON, with their keys.

        Not of one moment: what is written meanwhile may be missing. Nothing, where the build has no
        room yet. Raises ``StoreUnavailable``.
        """
        ...

    async def discard(self, build: Build) -> None:
        """Remove the views of a build that has been dropped, where that has not removed them.

        Doing it again changes nothing. Raises ``WrongRole`` for a build that has not been dropped,
        ``NotOurs`` and ``StoreUnavailable``.
        """
        ...


class NotBuilt(Exception):
    """This read model has not been built yet, or not in a version that this release knows."""


async def answering(
    builds: Builds, name: str, declared: Sequence[Projection[Any]]
) -> tuple[Projection[Any], BuildStanding]:
    """The build that answers queries now, and its declaration: see :meth:`ReadModels.live`.

    Raises :class:`NotBuilt`, ``StoreUnavailable``.
    """
    standings = await builds.standings(name)
    found = readable(name, standings, declared)
    if found is None:
        raise NotBuilt(unreadable(name, standings))
    return found
