"""The data subjects that were forgotten, as events. Stream: ``forgotten-<hash of the subject>``.

The key store knows them, too. Where one of both was restored from a backup, the other one knows
better: see :class:`application.personal.forgetting.Forgetting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Final, assert_never

from pydantic import AwareDatetime, StringConstraints

from application.category import Category
from application.ports import EventStore
from application.ports.keys import LONGEST_SUBJECT
from domain.decider import Command, Decider, Event

SubjectName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SUBJECT)]

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class SubjectForgotten(Event):
    """Its key was destroyed before this was written."""

    subject: SubjectName
    at: AwareDatetime


# ── state ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Remembrance:
    """Since when the subject is forgotten; ``None``: it is not."""

    since: datetime | None = None


def evolve(remembrance: Remembrance, event: SubjectForgotten) -> Remembrance:
    match event:
        case SubjectForgotten(at=at):
            return Remembrance(remembrance.since or at)
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class RecordForgotten(Command):
    subject: SubjectName
    at: AwareDatetime


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: RecordForgotten, remembrance: Remembrance) -> Sequence[SubjectForgotten]:
    match command:
        case RecordForgotten(subject=subject, at=at):
            return [] if remembrance.since else [SubjectForgotten(subject=subject, at=at)]
        case _:
            assert_never(command)


decider: Decider[RecordForgotten, Remembrance, SubjectForgotten] = Decider(
    Remembrance(), evolve, decide
)
FORGOTTEN: Final = Category.of("forgotten", decider, RecordForgotten, SubjectForgotten)


async def remembrance(store: EventStore, subject: str) -> Remembrance:
    """What is recorded of the subject. Raises ``StoreUnavailable``."""
    history = store.read(FORGOTTEN.stream(forgotten_id(subject)))
    found: Remembrance = FORGOTTEN.decider.fold([one.event async for one in history])
    return found


def forgotten_id(subject: str) -> str:
    """The id of its stream: a stream's name cannot hold every text."""
    return sha256(subject.encode()).hexdigest()[:32]
