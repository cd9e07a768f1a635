"""What an operator can do to read models, by name.

A name is that of a read model (``order_summary``: the build that needs it) or of one build of it
(``order_summary_v2``: that one).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, assert_never
from uuid import UUID

from application.ports import Builds, NotBuilt, ReadModels, StoreUnavailable, WrongRole
from application.projections.builds import Build, BuildStanding, Note, OperatorAction, Role
from application.projections.projection import Projection


class What(StrEnum):
    """What can be done to builds."""

    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    SKIP = "skip"
    ROLLBACK = "rollback"
    DROP = "drop"


_Needs = Callable[[BuildStanding, str], bool]
_NEEDS: Final[Mapping[What, tuple[_Needs, str]]] = {
    What.PAUSE: (
        lambda of, name: of.role is Role.LIVE or of.build.table == name,
        "has no live build",
    ),
    What.RESUME: (lambda of, _: of.paused is not None, "is not paused"),
    What.RETRY: (lambda of, _: of.failure is not None, "has not stopped"),
    What.SKIP: (lambda of, _: of.failure is not None, "has not stopped"),
    What.ROLLBACK: (lambda of, _: of.role is Role.PREVIOUS, "has no previous build"),
    What.DROP: (lambda of, _: of.role is not Role.LIVE, "has no build beside the live one"),
}
"""The builds that need it, of those with the name; and what is the case without one."""


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

    async def affected(
        self, what: What, name: str, event_id: UUID | None = None
    ) -> Sequence[BuildStanding]:
        """The builds that this would be done to."""
        needs, otherwise = _NEEDS[what]
        standings = await self.named(name)
        found = [of for of in standings if needs(of, name) and _stopped_at(of, event_id)]
        if not found:
            at = "" if event_id is None else f" at the event {event_id}"
            raise WrongRole(f"{name} {otherwise}{at}")
        if what is What.DROP and len(found) > 1:
            tables = " or ".join(of.build.table for of in found)
            raise WrongRole(f"{name} has several builds beside the live one: name {tables}")
        return found

    async def apply(
        self, what: What, name: str, note: Note, event_id: UUID | None = None
    ) -> Sequence[Build]:
        """Do it; ``event_id`` is the event to skip."""
        match what:
            case What.PAUSE:
                return await self.pause(name, note)
            case What.RESUME:
                return await self.resume(name, note)
            case What.RETRY:
                return await self.retry(name, note)
            case What.SKIP:
                if event_id is None:
                    raise ValueError("an event is skipped by its id")
                return await self.skip(name, event_id, note)
            case What.ROLLBACK:
                return [await self.rollback(name, note)]
            case What.DROP:
                return [await self.drop(name, note)]
            case _:
                assert_never(what)

    async def pause(self, name: str, note: Note) -> Sequence[Build]:
        """Stop filling it until it is resumed. Queries go on, on the views that are there."""
        found = await self._builds_of(What.PAUSE, name)
        for build in found:
            await self._builds.pause(build, note)
        return found

    async def resume(self, name: str, note: Note) -> Sequence[Build]:
        found = await self._builds_of(What.RESUME, name)
        for build in found:
            await self._builds.resume(build, note)
        return found

    async def retry(self, name: str, note: Note) -> Sequence[Build]:
        """Try again what an event has stopped."""
        found = await self._builds_of(What.RETRY, name)
        for build in found:
            await self._builds.retry(build, note)
        return found

    async def skip(self, name: str, event_id: UUID, note: Note) -> Sequence[Build]:
        """Let the builds that stopped at this event pass it by."""
        found = await self._builds_of(What.SKIP, name, event_id)
        for build in found:
            await self._builds.skip(build, event_id, note)
        return found

    async def rollback(self, name: str, note: Note) -> Build:
        """Let the previous build answer queries again."""
        standings = await self.named(name)
        return await self._builds.rollback(standings[0].build.name, note)

    async def drop(self, name: str, note: Note) -> Build:
        """Remove the build that is not live, with its views.

        Raises ``StoreUnavailable``, also when the build is dropped and only its views are not: the
        next start of a service removes them.
        """
        found = await self._builds_of(What.DROP, name)
        await self._builds.drop(found[0], note)
        try:
            await self._read_models.discard(found[0])
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"{found[0].table} is dropped, but its views are still there: the next start of "
                f"the service removes them: {error}"
            ) from error
        return found[0]

    async def actions(self, name: str) -> Sequence[OperatorAction]:
        """What operators did to it, newest first; of builds that were dropped, too."""
        standings = await self.named(name)
        actions = await self._builds.actions(standings[0].build.name)
        one = {of.build for of in standings} if name != standings[0].build.name else None
        return [action for action in actions if one is None or action.build in one]

    async def _builds_of(
        self, what: What, name: str, event_id: UUID | None = None
    ) -> Sequence[Build]:
        return [of.build for of in await self.affected(what, name, event_id)]

    async def named(self, name: str) -> Sequence[BuildStanding]:
        """The builds of that name, as they stand."""
        standings = await self._builds.standings()
        found = [of for of in standings if name in (of.build.name, of.build.table)]
        if found:
            return found
        declared = {projection.name for projection in self._projections}
        if name in declared:
            raise NotBuilt(f"{name} has not been built yet: the first start of a service does it")
        raise UnknownReadModel(_unknown(name, declared | {of.build.name for of in standings}))


def _stopped_at(of: BuildStanding, event_id: UUID | None) -> bool:
    """Whether a shard of it has; any build is meant where no event is given."""
    if event_id is None:
        return True
    return any(shard.failure and shard.failure.event_id == event_id for shard in of.shards)


def _unknown(name: str, known: Collection[str]) -> str:
    return f"there is no read model {name}: there are {', '.join(sorted(known))}"
