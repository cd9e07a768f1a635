"""What operators have done, newest first, as ``audit-trail`` prints it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from application.access import issuer_and_subject
from application.browsing.filtered import filtered
from application.messages import RecordedEvent
from application.operating.operation import (
    OPERATION,
    OperationBegun,
    OperationEnded,
    OperationEvent,
    Outcome,
)
from application.ports import EventBrowser, EventStore, Found, Reading, Total, Wanted
from application.ports.browsing import NEWEST
from application.time_range import EVER, TimeRange

NO_END: Final = "no end recorded"
OUTCOMES: Final = (*map(str, Outcome), NO_END)
_BEGUN: Final = OperationBegun.__name__
_PAGES: Final = 10
"""Pages of the category that are read, at most: about half of its events are ends."""


@dataclass(frozen=True)
class Recorded:
    """One action of an operator."""

    id: UUID
    begun: OperationBegun
    began_at: datetime
    actor: str
    """Who it was, as in the metadata of events."""
    ended: OperationEnded | None = None
    ended_at: datetime | None = None

    @property
    def outcome(self) -> str:
        """Without an end, it is under way, or its process was killed: then it is unknown."""
        return self.ended.outcome if self.ended else NO_END

    @property
    def document(self) -> Mapping[str, Any]:
        """As JSON has it."""
        issuer, subject = issuer_and_subject(self.actor)
        return {
            "id": str(self.id),
            "issuer": issuer,
            "subject": subject,
            **self.begun.model_dump(mode="json"),
            "began_at": self.began_at.isoformat(),
            "outcome": self.outcome,
            "detail": self.ended.detail if self.ended else None,
            "after": self.ended.after if self.ended else None,
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
        }


@dataclass(frozen=True)
class WantedActions:
    """Actions with all that is given here.

    ``ValueError`` for an outcome that there is not.
    """

    began: TimeRange = EVER
    outcome: str | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        if self.outcome not in (None, *OUTCOMES):
            known = ", ".join(OUTCOMES)
            raise ValueError(f"there is no outcome {self.outcome!r}: use one of {known}")

    def admits(self, one: Recorded) -> bool:
        """Whether it has all of it."""
        return (
            one.began_at in self.began
            and self.outcome in (None, one.outcome)
            and self.by in (None, one.begun.by)
        )


EVERY_ACTION: Final = WantedActions()


async def trail(
    browser: EventBrowser,
    store: EventStore,
    reading: Reading = NEWEST,
    wanted: WantedActions = EVERY_ACTION,
) -> Found[Recorded]:
    """A page of them, in the order in which they began. Raises ``StoreUnavailable``.

    ``ValueError`` for a place that no page has named.
    """
    if wanted == EVERY_ACTION:
        return await _page(browser, store, reading)

    async def ask(step: Reading) -> Found[Recorded]:
        return await _page(browser, store, step)

    def over(one: Recorded) -> bool:
        return wanted.began.is_over(one.began_at, newest_first=reading.newest_first)

    return await filtered(ask, reading, wanted.admits, over)


async def _page(browser: EventBrowser, store: EventStore, reading: Reading) -> Found[Recorded]:
    begun, after, found = list[UUID](), reading.after, Found[RecordedEvent](())
    for _ in range(_PAGES):
        step = replace(reading, after=after, limit=reading.limit - len(begun))
        found = await browser.events(Wanted(category=OPERATION.name), step)
        begun += [UUID(one.stream_id) for one in found.items if one.type == _BEGUN]
        after = found.reached
        if not found.more or len(begun) == reading.limit:
            break
    read = [one for one in await asyncio.gather(*(recorded(store, id) for id in begun)) if one]
    total = Total.shown(len(read), whole=not found.more and reading.after is None)
    return Found(read, None, after, found.more, found.lacks, total)


async def recorded(store: EventStore, id: UUID) -> Recorded | None:
    """The action with that id, if there is one. Raises ``StoreUnavailable``."""
    found: Recorded | None = None
    async for one in store.read(OPERATION.stream(str(id))):
        event, at = cast("OperationEvent", one.event), one.metadata.occurred_at
        if isinstance(event, OperationBegun):
            found = Recorded(id, event, at, one.metadata.actor)
        elif found:
            found = replace(found, ended=event, ended_at=at)
    return found
