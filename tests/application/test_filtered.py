"""Pages that are limited by what a store does not know: whole, in order, and each item once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.browsing.filtered import events_within, filtered, streams_within
from application.ports import Found, Reading, Total, Wanted
from application.time_range import TimeRange
from infrastructure import memory
from infrastructure.browsing import chosen
from tests.contracts.made_up import event
from tests.sample.service import SAMPLE

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Numbers:
    """Numbers in their order, and how many were asked for."""

    numbers: range
    asked: int = 0

    async def ask(self, reading: Reading) -> Found[int]:
        self.asked += reading.limit
        return chosen(self.numbers, lambda number: number, reading)


@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 9), st.booleans())
async def test_pages_have_each_of_those_that_are_wanted_once(
    number: int, every: int, limit: int, newest_first: bool
) -> None:
    """In the order of the store, whatever is left out; the last page leads nowhere."""
    numbers = Numbers(range(1, number + 1))
    found, reading = list[int](), Reading(newest_first, limit=limit)
    while True:
        page = await filtered(numbers.ask, reading, lambda one: one % every == 0)
        assert len(page.items) <= limit
        found += page.items
        if not page.more:
            break
        reading = Reading(newest_first, page.reached, limit)

    wanted = [one for one in numbers.numbers if one % every == 0]
    assert found == (wanted[::-1] if newest_first else wanted)


async def test_a_page_is_looked_for_within_limits() -> None:
    """Where what is wanted is rare, a page may be empty, and says where to go on."""
    numbers = Numbers(range(1_000_000))
    page = await filtered(numbers.ask, Reading(limit=20), lambda one: one == 3)

    assert (page.items, page.more, page.total) == ([], True, None)
    assert 1_000 < numbers.asked < 10_000


async def store_of_days(days: int) -> memory.EventStore:
    """A store in which one event was recorded each day, each in a stream of its own."""
    now = [START]
    store = memory.EventStore(SAMPLE.catalogue, lambda: now[0])
    for day in range(days):
        now[0] = START + timedelta(days=day)
        await store.append(f"notes-{day}", [event("Noted")], -1)
    return store


@pytest.mark.parametrize("newest_first", [True, False])
async def test_events_of_a_time(newest_first: bool) -> None:
    """From the first moment on, and before the last; the page after them is the end."""
    browser = memory.EventBrowser(await store_of_days(60))
    within = TimeRange(START + timedelta(days=10), START + timedelta(days=13))
    found = await events_within(browser, Wanted(), within, Reading(newest_first, limit=9))

    days = [12, 11, 10] if newest_first else [10, 11, 12]
    assert [one.stream for one in found.items] == [f"notes-{day}" for day in days]
    assert (found.more, found.total) == (False, Total(3))


@pytest.mark.parametrize("prefix", [None, "notes-"])
async def test_streams_that_changed_in_a_time(prefix: str | None) -> None:
    """By their last events, in either order."""
    store = await store_of_days(30)
    browser = memory.EventBrowser(store)
    within = TimeRange(START + timedelta(days=28))
    assert await store.append("notes-3", [event("Noted")], 0)
    found = await streams_within(browser, "notes", prefix, within, Reading(limit=9))

    by_change, by_begin = ["notes-3", "notes-29", "notes-28"], ["notes-29", "notes-28", "notes-3"]
    assert [one.name for one in found.items] == (by_begin if prefix else by_change)
