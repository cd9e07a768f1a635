"""Pages of views, in the order of their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from application.ports import Finding, Lookup, V

LARGEST_PAGE: Final = 500
LAST: Final = "\U0010ffff"
"""What comes behind everything that a key may go on with."""


@dataclass(frozen=True)
class Page(Generic[V]):
    """One page, by key. ``after`` is the key for the next page; ``None`` on the last one."""

    items: Sequence[V]
    after: str | None


async def view(views: Lookup[V], key: str) -> V | None:
    """The view of that key, if the read model has one."""
    seen = (await views.load([key])).get(key)
    return seen.view if seen else None


async def page(
    views: Finding[V],
    wanted: Mapping[str, str | None],
    *,
    after: str | None,
    until: str | None = None,
    limit: int,
) -> Page[V]:
    """Views whose fields equal the given values (``None``: any value), at most ``limit``.

    Beyond the key ``after``, up to and including ``until``. ``ValueError`` for a limit that is not
    1 to 500.
    """
    require_limit(limit)
    equal = {field: str(value) for field, value in wanted.items() if value is not None}
    # One more than the limit shows whether there is another page.
    found = await views.find(equal=equal, after=after, until=until, limit=limit + 1)
    last = found[limit - 1][0] if len(found) > limit else None
    return Page([seen.view for _, seen in found[:limit]], after=last)


async def page_below(views: Finding[V], prefix: str, *, after: str | None, limit: int) -> Page[V]:
    """Views whose keys begin with ``prefix``; it is left off in ``after``. ``limit`` as above."""
    found = await page(views, {}, after=prefix + (after or ""), until=prefix + LAST, limit=limit)
    return Page(found.items, found.after and found.after.removeprefix(prefix))


def require_limit(limit: int) -> None:
    """``ValueError`` for a page that is too large, or empty."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit is {limit}, it has to be 1 to {LARGEST_PAGE}")
