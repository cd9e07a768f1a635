"""Pages of events, streams and actions, limited to a time or by what a store does not know.

What the store finds is looked through, a limited part of it for each page. So a page can be short,
and say that there may be more.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from application.messages import RecordedEvent
from application.ports import (
    LARGEST_BROWSED,
    EventBrowser,
    Found,
    Reading,
    StreamSeen,
    Total,
    Wanted,
)
from application.ports.browsing import NEWEST
from application.time_range import EVER, TimeRange

T = TypeVar("T")
Ask = Callable[[Reading], Awaitable[Found[T]]]
_STEPS: Final = 12
"""Questions to the store for one page, at most: they find some 4,000 items together."""


async def filtered(
    ask: Ask[T],
    reading: Reading,
    admits: Callable[[T], bool],
    over: Callable[[T], bool] = lambda _: False,
) -> Found[T]:
    """The page of those that ``admits``. ``over``: whether none that follows can be one of them."""
    items, step = list[T](), reading
    for _ in range(_STEPS):
        found = await ask(step)
        room = reading.limit - len(items)
        places = [place for place, one in enumerate(found.items, 1) if admits(one)]
        if len(places) >= room and places[room - 1] < len(found.items):
            found = await ask(replace(step, limit=places[room - 1]))  # it ends with the last one
        items += [one for one in found.items if admits(one)][:room]
        more = found.more and not (found.items and over(found.items[-1]))
        if not more or len(items) == reading.limit:
            break
        step = replace(step, after=found.reached, limit=min(2 * step.limit, LARGEST_BROWSED))
    total = Total.shown(len(items), whole=not more and reading.after is None)
    return Found(items, None, found.reached, more, found.lacks, total)


async def events_within(
    browser: EventBrowser, wanted: Wanted, recorded: TimeRange = EVER, reading: Reading = NEWEST
) -> Found[RecordedEvent]:
    """Events that were recorded in that time. Raises as :meth:`EventBrowser.events`."""

    async def ask(step: Reading) -> Found[RecordedEvent]:
        return await browser.events(wanted, step)

    return await _within(ask, recorded, reading, lambda event: event.recorded_at)


async def streams_within(
    browser: EventBrowser,
    category: str | None,
    prefix: str | None,
    changed: TimeRange = EVER,
    reading: Reading = NEWEST,
) -> Found[StreamSeen]:
    """Streams whose last event was recorded in that time. Raises as :meth:`EventBrowser.streams`.

    In the order of their first events; without a ``prefix``, in the order of their last ones.
    """

    async def ask(step: Reading) -> Found[StreamSeen]:
        if prefix is None:
            return await browser.changed(category, step)
        return await browser.streams(category, prefix, step)

    return await _within(ask, changed, reading, _changed_at, ordered=prefix is None)


def _changed_at(seen: StreamSeen) -> datetime | None:
    return seen.last.recorded_at if seen.last else None


async def _within(
    ask: Ask[T],
    range: TimeRange,
    reading: Reading,
    at: Callable[[T], datetime | None],
    *,
    ordered: bool = True,
) -> Found[T]:
    if range == EVER:
        return await ask(reading)

    def admits(one: T) -> bool:
        moment = at(one)
        return moment is not None and moment in range

    def over(one: T) -> bool:
        moment = at(one)
        newest_first = reading.newest_first
        return ordered and moment is not None and range.is_over(moment, newest_first=newest_first)

    return await filtered(ask, reading, admits, over)
