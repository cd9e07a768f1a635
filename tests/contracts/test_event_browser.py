"""The contract of ``EventBrowser``: streams and events, in pages that never jump."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from application.messages import NewEvent, RecordedEvent
from application.ports import NO_STREAM, Found, Reading, StreamSeen, Total, Wanted
from infrastructure import eventstoredb  # only: eventstoredb
from tests.contracts.made_up import all_of, event, events, name, until
from tests.contracts.stores import Stores

T = TypeVar("T")
Ask = Callable[[Reading], Awaitable[Found[T]]]
EITHER_WAY = pytest.mark.parametrize("newest_first", [True, False], ids=["newest", "oldest"])


@pytest.fixture(autouse=True)
async def stores(stores: Stores) -> Stores:
    """The store is prepared, as the service does it."""
    # only: eventstoredb
    if isinstance(stores.browser, eventstoredb.EventBrowser):
        await eventstoredb.enable_system_projections(stores.browser.client)
    # end: eventstoredb
    return stores


def category() -> str:
    return name("notes").replace("-", "")


async def put(stores: Stores, stream: str, appended: list[NewEvent]) -> list[RecordedEvent]:
    await stores.events.append(stream, appended, NO_STREAM)
    return await all_of(stores.events.read(stream))


async def put_beside(stores: Stores, category: str) -> None:
    """Events in categories whose names are nearly this one."""
    for other in (f"{category}x", f"x{category}", category[:-1], f"{category}_"):
        await put(stores, name(other), events(1))


async def settled(ask: Ask[T], count: int) -> None:
    """Wait until a store shows so many: links follow an event after a moment."""

    async def there() -> bool:
        return len((await ask(Reading(limit=500))).items) >= count

    await until(there)


async def every_page(ask: Ask[T], *, newest_first: bool = True, limit: int = 3) -> list[T]:
    """The items of all pages, one after another."""
    found = await ask(Reading(newest_first, None, limit))
    items = list(found.items)
    while found.more:
        found = await ask(Reading(newest_first, found.reached, limit))
        assert len(found.items) <= limit
        items += found.items
    return items


def turned(items: Sequence[T], newest_first: bool) -> list[T]:
    return list(reversed(items)) if newest_first else list(items)


def ids(recorded: Sequence[RecordedEvent]) -> list[str]:
    return [str(one.id) for one in recorded]


def names(seen: Sequence[StreamSeen]) -> list[str]:
    return [one.name for one in seen]


def events_of(
    stores: Stores,
    category: str | None = None,
    type: str | None = None,
    correlation_id: str | None = None,
) -> Ask[RecordedEvent]:
    return lambda reading: stores.browser.events(Wanted(category, type, correlation_id), reading)


def streams_of(stores: Stores, category: str, prefix: str = "") -> Ask[StreamSeen]:
    return lambda reading: stores.browser.streams(category, prefix, reading)


@EITHER_WAY
async def test_events_of_a_category(stores: Stores, newest_first: bool) -> None:
    """They come page by page by position, each once; events of similar categories do not."""
    own = category()
    await put_beside(stores, own)
    there = [one for _ in range(3) for one in await put(stores, name(own), events(3))]
    ask = events_of(stores, category=own)
    await settled(ask, 9)

    found = await every_page(ask, newest_first=newest_first, limit=4)

    assert ids(found) == ids(turned(there, newest_first))
    assert [(one.stream, one.version, one.data) for one in found] == [
        (one.stream, one.version, one.data) for one in turned(there, newest_first)
    ]


@EITHER_WAY
async def test_events_of_a_type(stores: Stores, newest_first: bool) -> None:
    """They come from all categories, without types whose name only begins like it."""
    own, type = category(), name("Noted")
    await put(stores, name(own), [event(f"{type}Too")])
    there = [one for _ in range(4) for one in await put(stores, name(category()), events(1, type))]
    ask = events_of(stores, type=type)
    await settled(ask, 4)

    assert ids(await every_page(ask, newest_first=newest_first)) == ids(turned(there, newest_first))


async def test_events_of_a_type_in_a_category(stores: Stores) -> None:
    """Each event has all that is asked for."""
    own, type = category(), name("Noted")
    await put(stores, name(category()), events(2, type))
    there = await put(stores, name(own), [*events(2, type), event("Other"), *events(2, type)])
    await settled(events_of(stores, type=type), 6)
    await settled(events_of(stores, category=own), 5)

    found = await every_page(events_of(stores, category=own, type=type), newest_first=False)

    assert ids(found) == ids([one for one in there if one.type == type])


async def test_events_of_a_correlation(stores: Stores) -> None:
    """All that one request led to comes, over all streams, and nothing of another request."""
    first, other = event(), event()
    same = [NewEvent(uuid4(), "Noted", b"{}", first.metadata) for _ in range(2)]
    there = await put(stores, name(category()), [first, other])
    there += await put(stores, name(category()), same)
    wanted = events_of(stores, correlation_id=first.metadata.correlation_id)
    await settled(wanted, 3)

    found = await every_page(wanted, newest_first=False, limit=2)

    assert ids(found) == ids([one for one in there if one.id != other.id])


async def test_a_page_does_not_move_while_events_are_appended(stores: Stores) -> None:
    """What is appended between two pages is on neither: the next page begins where the last one
    ended."""
    own = category()
    there = await put(stores, name(own), events(6))
    ask = events_of(stores, category=own)
    await settled(ask, 6)

    first = await ask(Reading(limit=3))
    await put(stores, name(own), events(2))
    await settled(ask, 8)
    second = await ask(Reading(after=first.reached, limit=3))

    assert ids([*first.items, *second.items]) == ids(there)[::-1]
    assert not second.more


async def test_one_can_go_back_a_page(stores: Stores) -> None:
    """Reading the other way from the beginning of a page gives the page before it."""
    own = category()
    await put(stores, name(own), events(6))
    ask = events_of(stores, category=own)
    await settled(ask, 6)
    first = await ask(Reading(limit=3))
    second = await ask(Reading(after=first.reached, limit=3))

    back = await ask(Reading(newest_first=False, after=second.begins, limit=3))

    assert ids(back.items)[::-1] == ids(first.items)


async def test_new_events_are_read_on_from_the_last_place(stores: Stores) -> None:
    """Oldest first, a reader that has come to the end goes on from ``reached`` later."""
    own = category()
    await put(stores, name(own), events(2))
    ask = events_of(stores, category=own)
    await settled(ask, 2)
    end = await ask(Reading(newest_first=False))
    nothing = await ask(Reading(newest_first=False, after=end.reached))
    assert (nothing.items, nothing.reached, nothing.more) == ([], end.reached, False)

    more = await put(stores, name(own), events(2))
    await settled(ask, 4)
    found = await ask(Reading(newest_first=False, after=nothing.reached))

    assert ids(found.items) == ids(more)


@EITHER_WAY
async def test_the_events_of_a_stream(stores: Stores, newest_first: bool) -> None:
    """They come by version; a place is a version, so any event can be looked up by it."""
    stream = name()
    there = await put(stores, stream, events(7))

    async def ask(reading: Reading) -> Found[RecordedEvent]:
        return await stores.browser.stream(stream, reading)

    assert ids(await every_page(ask, newest_first=newest_first)) == ids(turned(there, newest_first))
    third = await ask(Reading(newest_first=False, after="1", limit=1))
    assert [one.version for one in third.items] == [2]


async def test_a_stream_that_does_not_exist(stores: Stores) -> None:
    """It has no events, and nothing is missing."""
    found = await stores.browser.stream(name())
    assert (list(found.items), found.more, list(found.lacks)) == ([], False, [])


async def test_one_event_by_its_id(stores: Stores) -> None:
    """The event is found, whichever stream it is in; an unknown id finds none."""
    there = await put(stores, name(category()), events(3))

    found = await stores.browser.event(there[1].id)

    assert ids(found.items) == ids(there[1:2])
    assert (await stores.browser.event(uuid4())).items == []


@EITHER_WAY
async def test_streams_of_a_category(stores: Stores, newest_first: bool) -> None:
    """They come in the order of their first events, each with its last event."""
    own = category()
    await put_beside(stores, own)
    there = [(await put(stores, name(own), events(2)))[-1] for _ in range(5)]
    ask = streams_of(stores, own)
    await settled(ask, 5)
    await stores.events.append(there[0].stream, events(1), 1)

    found = await every_page(ask, newest_first=newest_first, limit=2)

    assert names(found) == [one.stream for one in turned(there, newest_first)]
    versions = [one.last.version for one in found if one.last]
    assert versions == turned([2, 1, 1, 1, 1], newest_first)


async def test_streams_by_the_beginning_of_their_names(stores: Stores) -> None:
    """Only those come whose whole name begins with the text, letter by letter."""
    own = category()
    for id in ("a1", "A1", "b1", "a_2", "a%", "ab"):
        await put(stores, f"{own}-{id}", events(1))
    await settled(streams_of(stores, own), 6)

    async def ask(reading: Reading) -> Found[StreamSeen]:
        return await stores.browser.streams(prefix=f"{own}-a", reading=reading)

    found = await every_page(ask, newest_first=False, limit=2)
    assert names(found) == [f"{own}-{id}" for id in ("a1", "a_2", "a%", "ab")]


async def test_streams_of_all_categories(stores: Stores) -> None:
    """The newest streams of the store come first, without the store's own."""
    there = [(await put(stores, name(category()), events(1)))[0].stream for _ in range(3)]

    async def all_there() -> bool:
        found = await stores.browser.streams(reading=Reading(limit=20))
        return [one for one in names(found.items) if one in there] == there[::-1]

    await until(all_there)
    found = await stores.browser.streams(reading=Reading(limit=20))
    assert not [one for one in names(found.items) if one.startswith("$")]


async def test_streams_in_the_order_of_their_last_events(stores: Stores) -> None:
    """The one that changed last is the first, and each comes once."""
    own = category()
    there = [(await put(stores, name(own), events(2)))[0].stream for _ in range(4)]
    await stores.events.append(there[1], events(1), 1)
    await settled(events_of(stores, category=own), 9)

    async def ask(reading: Reading) -> Found[StreamSeen]:
        return await stores.browser.changed(own, reading)

    found = await every_page(ask, limit=2)

    assert names(found) == [there[1], there[3], there[2], there[0]]
    assert [one.last.version for one in found if one.last] == [2, 1, 1, 1]
    anywhere = await stores.browser.changed(reading=Reading(limit=1))
    assert names(anywhere.items) == [there[1]]


async def test_a_total_is_of_all_pages(stores: Stores) -> None:
    """It is exact, or a bound that is true; where the page shows that there is more, so does it."""
    own, type = category(), name("Noted")
    for _ in range(3):
        await put(stores, name(own), events(3, type))
    events_there, streams_there = events_of(stores, category=own), streams_of(stores, own)
    await settled(events_there, 9)
    await settled(streams_there, 3)
    await settled(events_of(stores, type=type), 9)

    async def changed(reading: Reading) -> Found[StreamSeen]:
        return await stores.browser.changed(own, reading)

    asks: list[tuple[Ask[Any], int]] = [
        (events_there, 9),
        (events_of(stores, type=type), 9),
        (streams_there, 3),
        (changed, 3),
    ]
    for ask, number in asks:
        first = await ask(Reading(limit=2))
        for page in (first, await ask(Reading(limit=2, after=first.reached))):
            assert page.total is not None
            assert right(page.total, number)
        assert first.more
        assert first.total is not None
        assert first.total.number > len(first.items)
        whole = await ask(Reading(limit=20))
        assert whole.total == Total(number)


async def test_all_events_of_a_store_have_a_total(stores: Stores) -> None:
    """At least what is seen, or at most what was ever appended; others append to it meanwhile."""
    there = await put(stores, name(category()), events(3))

    found = await stores.browser.events(Wanted(), Reading(limit=2))

    assert found.more
    assert found.total is not None
    assert found.total.number >= len(there)


async def test_a_page_that_shows_nothing_claims_nothing(stores: Stores) -> None:
    """It has looked through as many events as it may, and there may be any number further on."""
    own, type = category(), name("Noted")
    await put(stores, name(own), [event(type), *events(40)])
    await put(stores, name(category()), events(1, type))
    await settled(events_of(stores, type=type), 2)
    await settled(events_of(stores, category=own), 41)

    found = await stores.browser_that_looks(10).events(Wanted(own, type), Reading(limit=5))

    assert found.total is None or right(found.total, 1)


def right(total: Total, number: int) -> bool:
    """Whether it says the truth about that number."""
    match total.bound:
        case "exactly":
            return total.number == number
        case "at least":
            return total.number <= number
        case "at most":
            return total.number >= number


async def test_a_page_costs_a_limited_amount_of_work(stores: Stores) -> None:
    """A store that has to look through events for those that are wanted stops after so many; the
    page says that there may be more, and the next ones find them."""
    own, type = category(), name("Noted")
    await put(stores, name(own), [event(type), *events(40), event(type)])
    await put(stores, name(category()), events(40, type))
    await settled(events_of(stores, type=type), 42)
    await settled(events_of(stores, category=own), 42)
    browser = stores.browser_that_looks(10)

    def ask(reading: Reading) -> Awaitable[Found[RecordedEvent]]:
        return browser.events(Wanted(category=own, type=type), reading)

    first = await ask(Reading(limit=5))
    found = await every_page(ask, limit=5)

    assert [one.version for one in found] == [41, 0]
    if stores.browser is not browser:  # memory looks through everything
        assert first.items == []
        assert first.more


@pytest.mark.parametrize("after", ["", "-1", "x", "1.5", "9" * 30, "\uff11"])
async def test_a_place_that_no_page_has_named(stores: Stores, after: str) -> None:
    """It is refused with an error that shows it."""
    with pytest.raises(ValueError, match="is no place of a page"):
        await stores.browser.events(Wanted(), Reading(after=after))


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_limit_that_is_no_page(limit: int) -> None:
    """It is refused with an error that names the limits."""
    with pytest.raises(ValueError, match="it has to be 1 to 500"):
        Reading(limit=limit)
