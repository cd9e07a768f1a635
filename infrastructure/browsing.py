"""What the adapters of ``EventBrowser`` share: places, pages, and the words for what is missing."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from application.messages import RecordedEvent
from application.ports import Found, Incomplete, Reading, Total

T = TypeVar("T")
S = TypeVar("S", bound="Placed")
Kept = Sequence[tuple[int, T]]
"""What is wanted of a slice, each with its place."""
_SLICE: Final = 500  # in one answer of a server


class Placed(Protocol):
    """Something in an order."""

    @property
    def place(self) -> int: ...


def place_in(reading: Reading) -> int | None:
    """The number in the place that a page begins after; ``None`` for the first page.

    ``ValueError`` for a text that no page has named.
    """
    after = reading.after
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 20):
        raise ValueError(f"{after!r} is no place of a page: pass on what a page has named as such")
    return int(after)


def page_of(
    found: Sequence[T],
    place: Callable[[T], int],
    reading: Reading,
    *,
    reached: int | None = None,
    more: bool | None = None,
    lacks: Sequence[Incomplete] = (),
) -> Found[T]:
    """The page of what was found, which is in the order of the page and may be one item longer.

    ``reached``: how far was looked, if further than the last item; ``more``: whether to go on.
    """
    items = found[: reading.limit]
    too_many = len(found) > reading.limit
    ends = place(items[-1]) if items and (too_many or reached is None) else reached
    goes_on = too_many if more is None else too_many or more
    return Found(
        items,
        str(place(items[0])) if items else None,
        reading.after if ends is None else str(ends),
        goes_on,
        lacks,
        Total.shown(len(items), whole=not goes_on and reading.after is None, more=too_many),
    )


async def walk(
    slice: Callable[[int | None, int], Awaitable[Sequence[S]]],
    keep: Callable[[Sequence[S]], Awaitable[Kept[T]]],
    reading: Reading,
    look: int,
) -> Found[T]:
    """The page of what ``keep`` keeps, of at most ``look`` that are looked at.

    ``slice(after, size)``: those behind a place, in the order of the page; fewer only at the end.
    """
    place, kept, looked, ended = place_in(reading), list[tuple[int, T]](), 0, False
    size = min(reading.limit + 1, look)
    while not ended and len(kept) <= reading.limit and looked < look:
        some = await slice(place, size)
        kept += await keep(some)
        looked, ended = looked + len(some), len(some) < size
        place = some[-1].place if some else place
        size = min(_SLICE, 2 * size, max(look - looked, 1))  # what is kept may cost a look-up each
    page = page_of(kept, lambda one: one[0], reading, reached=place, more=not ended)
    items = [one for _, one in page.items]
    return Found(items, page.begins, page.reached, page.more, total=page.total)


def chosen(items: Iterable[T], place: Callable[[T], int], reading: Reading) -> Found[T]:
    """The page of all there is, whose places grow."""
    after, ordered = place_in(reading), list(items)
    total = Total(len(ordered))
    if reading.newest_first:
        ordered.reverse()
    if after is not None:
        ordered = [one for one in ordered if _behind(place(one), after, reading)]
    return replace(page_of(ordered, place, reading), total=total)


def _behind(place: int, after: int, reading: Reading) -> bool:
    return place < after if reading.newest_first else place > after


def position(event: RecordedEvent) -> int:
    return event.position


def version(event: RecordedEvent) -> int:
    return event.version


def lost_beginning(stream: str, first: int) -> Incomplete:
    """The events of a stream before version ``first`` are gone."""
    versions = "version 0 is" if first == 1 else f"versions 0 to {first - 1} are"
    return Incomplete(stream, f"has lost its beginning: {versions} gone", _NOT_HERE)


def deleted(stream: str) -> Incomplete:
    """The stream was deleted."""
    return Incomplete(stream, "was deleted", _NOT_HERE)


def dropped(source: str, count: int) -> Incomplete:
    """Links lead to events that an operator has deleted."""
    events = "1 event that was" if count == 1 else f"{count:,} events that were"
    return Incomplete(source, f"links {events} deleted", _NOT_HERE)


def looked_through(source: str, count: int) -> Incomplete:
    """An event was looked for among the newest ``count`` alone."""
    return Incomplete(
        source,
        f"has no index of ids: only its newest {count:,} events were looked through",
        "Name an older event as STREAM@VERSION.",
    )


_NOT_HERE = "Only a backup of the event store still has it."
