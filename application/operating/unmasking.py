"""See personal data: an action like all others, since it is recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from application.operating.action import Done, Preview, Tools
from application.operating.operation import Outcome
from application.operating.trail import Recorded
from application.projections.builds import Note

SHOWN_FOR: Final = timedelta(minutes=15)
NAME: Final = "personal-data show"


@dataclass(frozen=True)
class ShowPersonalData:
    """Of one page: the name of a stream, an event, a saga."""

    of: str
    long: bool = False

    @property
    def name(self) -> str:
        return NAME

    @property
    def target(self) -> str:
        return self.of

    async def preview(self, _: Tools) -> Preview:
        minutes = int(SHOWN_FOR.total_seconds() / 60)
        return Preview(
            does=f"Shows you the personal data of {self.of} for {minutes} minutes. It is recorded "
            "that you have seen it.",
            number=1,
            unit="page",
            examples=[self.of],
        )

    async def perform(self, _: Tools, note: Note) -> Done:
        return Done(f"shown to {note.by}")


def shows(operation: Recorded | None, of: str, actor: str, now: datetime) -> UUID | None:
    """The id of the action, if it lets that person see the data of that page now."""
    if operation is None or operation.begun.action != NAME or operation.ended is None:
        return None
    fits = (operation.begun.target, operation.actor) == (of, actor)
    done = operation.ended.outcome is Outcome.DONE and now - operation.began_at < SHOWN_FOR
    return operation.id if fits and done else None
