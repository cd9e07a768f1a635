"""Reading all events that there are, from the first to the last, and how far that is."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import Progress, StoreFacts, Subscriptions

_EVERY: Final = 1_000  # events


class EventLog(Subscriptions, StoreFacts, Protocol):
    """All events of a store, followed and counted."""


@dataclass(frozen=True)
class Step:
    """What long work is at."""

    part: str
    """In words: ``reading the events``."""
    done: int = 0
    """How many of them so far."""
    share: float | None = None
    """How much of the part that is, from 0 to 1; ``None`` where it is not known."""


Report = Callable[[Step], None]


def unreported(_: Step) -> None:
    """For callers who do not watch."""


@asynccontextmanager
async def whole_log(
    log: EventLog,
    only: EventFilter,
    report: Report = unreported,
    *,
    after: int | None = None,
    until: int | None = None,
) -> AsyncIterator[AsyncIterator[RecordedEvent]]:
    """The events that ``only`` admits, in order, after a position and up to those of now.

    With ``until``: up to that position, for which it waits if a store still holds events back.
    Raises ``StoreUnavailable``. Reports after every thousand events.
    """
    end = await log.head()
    async with (
        log.catch_up(after=after, only=only) as messages,
        aclosing(_up_to(until, messages)) as events,
    ):
        yield _reported(events, end, report)


async def _up_to(
    position: int | None, messages: AsyncIterator[RecordedEvent | Progress]
) -> AsyncGenerator[RecordedEvent]:
    async for message in messages:
        if not isinstance(message, Progress):
            yield message
        elif position is None and message.caught_up:
            return
        if position is not None and message.position >= position:
            return


async def _reported(
    events: AsyncIterator[RecordedEvent], end: int, report: Report
) -> AsyncIterator[RecordedEvent]:
    done = 0
    report(Step("reading the events"))
    async for recorded in events:
        yield recorded
        done += 1
        if done % _EVERY == 0:
            report(Step("reading the events", done, min(recorded.position / max(end, 1), 1.0)))
