"""What an operator can do to read models, by name.

A name is that of a read model (``order_summary``: the build that needs it) or of one build of it
(``order_summary_v2``: that one).
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

from application.ports import Builds, NotBuilt, ReadModels, WrongRole
from application.projections.builds import Build, BuildStanding, Note, OperatorAction, Role
from application.projections.projection import Projection


class UnknownReadModel(Exception):
    """Nothing has that name; the message lists what there is."""


class Operations:
    """All methods raise :class:`UnknownReadModel`, ``NotBuilt`` and ``StoreUnavailable``.

    ``WrongRole``: no build is in the state that this is for; nothing was changed.
    """

    def __init__(
        self, projections: Collection[Projection[Any]], builds: Builds, read_models: ReadModels
    ) -> None:
        self._projections, self._builds, self._read_models = projections, builds, read_models

    async def newest(self, name: str) -> Projection[Any]:
        """The newest declaration of a read model: what a deploy brings."""
        declared = [projection for projection in self._projections if projection.name == name]
        if not declared:
            raise UnknownReadModel(_unknown(name, {of.name for of in self._projections}))
        return max(declared, key=lambda projection: projection.version)

    async def pause(self, name: str, note: Note) -> Sequence[Build]:
        """Stop filling it until it is resumed. Queries go on, on the views that are there."""
        found = await self._chosen(
            name,
            lambda of: of.role is Role.LIVE or of.build.table == name,
            "has no live build",
        )
        for build in found:
            await self._builds.pause(build, note)
        return found

    async def resume(self, name: str, note: Note) -> Sequence[Build]:
        found = await self._chosen(name, lambda of: of.paused is not None, "is not paused")
        for build in found:
            await self._builds.resume(build, note)
        return found

    async def retry(self, name: str, note: Note) -> Sequence[Build]:
        """Try again what an event has stopped."""
        found = await self._chosen(name, lambda of: of.failure is not None, "has not stopped")
        for build in found:
            await self._builds.retry(build, note)
        return found

    async def skip(self, name: str, event_id: UUID, note: Note) -> Sequence[Build]:
        """Let the builds that stopped at this event pass it by."""
        found = await self._chosen(
            name,
            lambda of: any(s.failure and s.failure.event_id == event_id for s in of.shards),
            f"has not stopped at the event {event_id}",
        )
        for build in found:
            await self._builds.skip(build, event_id, note)
        return found

    async def rollback(self, name: str, note: Note) -> Build:
        """Let the previous build answer queries again."""
        standings = await self._named(name)
        return await self._builds.rollback(standings[0].build.name, note)

    async def drop(self, name: str, note: Note) -> Build:
        """Remove the build that is not live, with its views."""
        found = await self._chosen(
            name, lambda of: of.role is not Role.LIVE, "has no build beside the live one"
        )
        if len(found) > 1:
            tables = " or ".join(build.table for build in found)
            raise WrongRole(f"{name} has several builds beside the live one: name {tables}")
        await self._builds.drop(found[0], note)
        await self._read_models.discard(found[0])
        return found[0]

    async def actions(self, name: str) -> Sequence[OperatorAction]:
        """What operators did to it, newest first; of builds that were dropped, too."""
        standings = await self._named(name)
        actions = await self._builds.actions(standings[0].build.name)
        one = {of.build for of in standings} if name != standings[0].build.name else None
        return [action for action in actions if one is None or action.build in one]

    async def _chosen(
        self, name: str, needs_it: Callable[[BuildStanding], bool], otherwise: str
    ) -> Sequence[Build]:
        """The builds of that name that need it."""
        standings = await self._named(name)
        if found := [of.build for of in standings if needs_it(of)]:
            return found
        raise WrongRole(f"{name} {otherwise}")

    async def _named(self, name: str) -> Sequence[BuildStanding]:
        standings = await self._builds.standings()
        found = [of for of in standings if name in (of.build.name, of.build.table)]
        if found:
            return found
        declared = {projection.name for projection in self._projections}
        if name in declared:
            raise NotBuilt(f"{name} has not been built yet: the first start of a service does it")
        raise UnknownReadModel(_unknown(name, declared | {of.build.name for of in standings}))


def _unknown(name: str, known: Collection[str]) -> str:
    return f"there is no read model {name}: there are {', '.join(sorted(known))}"
