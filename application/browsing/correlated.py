"""All events of one correlation: what one request has led to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from application.messages import RecordedEvent
from application.ports import EventBrowser, Incomplete, Reading, Wanted

MOST: Final = 1_000
"""Events of a correlation that are read, at most."""
_PAGE: Final = 500
_PAGES: Final = 6
"""Pages that are read, at most: a store without an index has pages with few events."""


@dataclass(frozen=True)
class Correlated:
    """The events of a correlation, oldest first."""

    events: Sequence[RecordedEvent]
    more: bool
    """Whether there are, or may be, more."""
    lacks: Sequence[Incomplete]


async def correlated(browser: EventBrowser, recorded: RecordedEvent) -> Correlated:
    """The events of the same correlation as that one, which is among them."""
    id = recorded.correlation_id
    if id is None:
        return Correlated([recorded], False, [])
    found = await of_correlation(browser, id, near=recorded.position)
    known = {one.id for one in found.events}
    if recorded.id in known:
        return found
    together = sorted((*found.events, recorded), key=lambda one: one.position)
    return replace(found, events=together)


async def of_correlation(
    browser: EventBrowser, id: str, *, near: int | None = None, most: int = MOST
) -> Correlated:
    """The events of that correlation, at most ``most``. ``near``: a position of one of them."""
    wanted = Wanted(correlation_id=id, near=near)
    events: list[RecordedEvent] = []
    after, more, lacks = None, True, list[Incomplete]()
    for _ in range(_PAGES):
        found = await browser.events(wanted, Reading(False, after, min(_PAGE, most)))
        events += found.items
        after, more, lacks = found.reached, found.more, list(found.lacks)
        if not more or len(events) >= most:
            break
    return Correlated(events[:most], more or len(events) > most, lacks)
