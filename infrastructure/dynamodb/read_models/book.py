"""The builds of one read model, as one value: what may be done to them, and what comes of it.

It is small, and changes when an operator does something or a runner stops. So each change replaces
it whole, on the condition that it has not changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from application.ports import WrongRole
from application.projections.builds import Build, Failure, Note, OperatorAction, Role
from application.projections.projection import Projection


class Entry(BaseModel):
    """One build."""

    model_config = ConfigDict(frozen=True)

    version: int
    number: int
    role: Role
    shards: int
    paused: Note | None = None
    failures: Mapping[int, Failure] = {}  # by shard
    skipped: Mapping[UUID, Note] = {}  # by event


class Book(BaseModel):
    """All builds of the read model ``name``. ``used``: the last number of each version."""

    model_config = ConfigDict(frozen=True)

    name: str
    entries: tuple[Entry, ...] = ()
    used: Mapping[int, int] = {}

    def build(self, entry: Entry) -> Build:
        return Build(self.name, entry.version, entry.number)

    def entry(self, build: Build) -> Entry:
        """Raises :class:`WrongRole` where there is no such build."""
        for entry in self.entries:
            if self.build(entry) == build:
                return entry
        raise WrongRole(f"there is no build {build.table}")

    def in_role(self, role: Role) -> Build | None:
        return next((self.build(one) for one in self.entries if one.role is role), None)

    def with_new(self, projection: Projection[Any], role: Role) -> Self:
        """With a build that has a number which none of that version has had."""
        number = self.used.get(projection.version, 0) + 1
        entry = Entry(
            version=projection.version, number=number, role=role, shards=projection.shards
        )
        used = {**self.used, projection.version: number}
        return self.model_copy(update={"entries": (*self.entries, entry), "used": used})

    def without(self, build: Build) -> Self:
        left = tuple(one for one in self.entries if self.build(one) != build)
        return self.model_copy(update={"entries": left})

    def having(self, build: Build, **changed: Any) -> Self:
        """With these attributes of that build. Raises :class:`WrongRole`."""
        there = self.entry(build)
        new = there.model_copy(update=changed)
        entries = tuple(new if one is there else one for one in self.entries)
        return self.model_copy(update={"entries": entries})


@dataclass(frozen=True)
class Change:
    """What a book becomes, and the operator action that is recorded with it."""

    book: Book
    action: OperatorAction | None = None


def registered(book: Book, projection: Projection[Any]) -> Change:
    return Change(book if book.entries else book.with_new(projection, Role.LIVE))


def begun(book: Book, projection: Projection[Any], note: Note) -> Change:
    there = book.in_role(Role.BUILDING)
    if there and there.version != projection.version:
        raise WrongRole(f"{there.table} has been begun before: continue it, or drop it")
    if there:
        return Change(book)
    new = book.with_new(projection, Role.BUILDING)
    return Change(new, OperatorAction("deploy", new.build(new.entries[-1]), note))


def swapped(book: Book, build: Build, note: Note) -> Change:
    if (role := book.entry(build).role) is not Role.BUILDING:
        raise WrongRole(f"{build.table} is {role}, not building")
    if previous := book.in_role(Role.PREVIOUS):
        raise WrongRole(f"{previous.table} is kept for a rollback: drop it first")
    return Change(_live(book, build), OperatorAction("swap", build, note))


def rolled_back(book: Book, note: Note) -> Change:
    if (previous := book.in_role(Role.PREVIOUS)) is None:
        raise WrongRole(f"{book.name} has no previous build to go back to")
    return Change(_live(book, previous), OperatorAction("rollback", previous, note))


def _live(book: Book, build: Build) -> Book:
    """Let the build answer queries; the one that did so before is the previous one from now on."""
    before = book.in_role(Role.LIVE)
    if before:
        book = book.having(before, role=Role.PREVIOUS)
    return book.having(build, role=Role.LIVE)


def dropped(book: Book, build: Build, note: Note) -> Change:
    if book.entry(build).role is Role.LIVE:
        raise WrongRole(f"{build.table} is live: it answers queries")
    return Change(book.without(build), OperatorAction("drop", build, note))


def failed(book: Book, build: Build, shard: int, failure: Failure) -> Change:
    failures = {**book.entry(build).failures, shard: failure}
    return Change(book.having(build, failures=failures))


def retried(book: Book, build: Build, note: Note) -> Change:
    return Change(book.having(build, failures={}), OperatorAction("retry", build, note))


def skipping(book: Book, build: Build, event_id: UUID, note: Note) -> Change:
    entry = book.entry(build)
    left = {at: one for at, one in entry.failures.items() if one.event_id != event_id}
    if len(left) == len(entry.failures):
        raise WrongRole(f"{build.table} has not stopped at the event {event_id}")
    skipped = {**entry.skipped, event_id: note}
    changed = book.having(build, failures=left, skipped=skipped)
    return Change(changed, OperatorAction("skip", build, note))


def paused(book: Book, build: Build, note: Note) -> Change:
    return Change(book.having(build, paused=note), OperatorAction("pause", build, note))


def resumed(book: Book, build: Build, note: Note) -> Change:
    return Change(book.having(build, paused=None), OperatorAction("resume", build, note))
