"""Where the views of all builds are."""

from collections.abc import Collection
from typing import Protocol

from application.ports.filling import WritableViews
from application.ports.views import V, Views
from application.projections.abilities import Ability
from application.projections.builds import WHOLE, Build, Shard
from application.projections.comparing import Comparison
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

    async def discard(self, build: Build) -> None:
        """Remove the views of a build that has been dropped, where that has not removed them.

        Doing it again changes nothing. Raises ``WrongRole`` for a build that has not been dropped,
        ``NotOurs`` and ``StoreUnavailable``.
        """
        ...


class NotBuilt(Exception):
    """This read model has not been built yet, or not in a version that this release knows."""
