"""Actions on read models: pause, resume, retry, skip, roll back, drop, and deploy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.operating.action import Done, Preview, Tools
from application.projections.builds import BuildStanding, Note
from application.projections.deploying import Report
from application.projections.lag import in_words
from application.projections.operating import What

_DOES: Final[Mapping[What, str]] = {
    What.PAUSE: "Stops handling events until it is resumed. Queries still answer, with their lag.",
    What.RESUME: "Handles events again.",
    What.RETRY: "Handles the event that stopped it again.",
    What.SKIP: "Skips the event that stopped it. The next deploy handles every event again.",
    What.ROLLBACK: "The previous build answers queries again, at once. Both are kept.",
    What.DROP: "Deletes a build that is not live, and its views.",
}
_DONE: Final[Mapping[What, str]] = {
    What.PAUSE: "is paused",
    What.RESUME: "is resumed",
    What.RETRY: "tries again",
    What.SKIP: "skips the event",
    What.ROLLBACK: "answers queries again",
    What.DROP: "is deleted, with its views",
}
_WARNINGS: Final[Mapping[What, str]] = {
    What.SKIP: "The views will lack this event until the next deploy.",
    What.DROP: "A rollback to it is not possible then.",
}

_IF_THEY_DIFFER: Final = {
    True: "Swaps although the views differ.",
    False: "If the views differ, nothing is swapped.",
}


@dataclass(frozen=True)
class OnReadModel:
    """One of these, on a read model or one build of it. ``event_id``: the event to skip."""

    what: What
    of: str
    event_id: UUID | None = None
    long: bool = False

    @property
    def name(self) -> str:
        return f"read-model {self.what}"

    @property
    def target(self) -> str:
        return self.of if self.event_id is None else f"{self.of}, event {self.event_id}"

    async def preview(self, tools: Tools) -> Preview:
        found = await tools.read_models().affected(self.what, self.of, self.event_id)
        return Preview(
            does=_DOES[self.what],
            number=len(found),
            unit="build",
            examples=[standing.build.table for standing in found],
            before=described(found),
            warnings=[_WARNINGS[self.what]] if self.what in _WARNINGS else [],
        )

    async def perform(self, tools: Tools, note: Note) -> Done:
        builds = await tools.read_models().apply(self.what, self.of, note, self.event_id)
        done = [f"{build.table} {_DONE[self.what]}" for build in builds]
        # only: search
        if self.what is What.ROLLBACK and (fault := await tools.follow()):
            done.append(fault)
        # end: search
        after = await tools.read_models().named(builds[0].name)  # one that is dropped has no name
        return Done(", ".join(done), described(after))


@dataclass(frozen=True)
class DeployReadModel:
    """Fill a new build beside the live one, compare both, and swap them."""

    of: str
    accept: bool = False
    report: Report = lambda _: None
    long: bool = True

    @property
    def name(self) -> str:
        return "read-model deploy"

    @property
    def target(self) -> str:
        return self.of

    async def preview(self, tools: Tools) -> Preview:
        newest = await tools.read_models().newest(self.of)
        standings = await tools.read_models().named(self.of)
        return Preview(
            does=f"Fills a new build of version {newest.version} beside the live one, compares "
            f"both and swaps them, without downtime. {_IF_THEY_DIFFER[self.accept]}",
            number=1,
            unit="read model",
            examples=[standing.build.table for standing in standings],
            before=_roles(standings),
            warnings=["Views that differ are accepted."] if self.accept else [],
        )

    async def perform(self, tools: Tools, note: Note) -> Done:
        work = await tools.deploy(self.of)
        deployed = await work.run(note, accept=self.accept, report=self.report)
        standings = await tools.read_models().named(self.of)
        done = f"{deployed.build.table} answers queries; {deployed.before.table} is kept"
        done += f". {deployed.comparison}"
        # only: search
        if fault := await tools.follow():
            done += f". {fault}"
        # end: search
        return Done(done, _roles(standings), deployed)


def described(standings: Sequence[BuildStanding]) -> str:
    """How builds stand, in words that change only when an operator, or a failure, changes them."""
    return "; ".join(f"{of.build.table} is {of.role}, {_in_words(of)}" for of in standings)


def _in_words(of: BuildStanding) -> str:
    return in_words(of) if of.paused or of.failure else "not paused, not stopped"


def _roles(standings: Sequence[BuildStanding]) -> str:
    return "; ".join(f"{of.build.table} is {of.role}" for of in standings)
