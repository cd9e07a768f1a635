"""Pages of views, in the order of their keys, or of a field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic

from application.ports import Finding, Lookup, Total, V

LARGEST_PAGE: Final = 500
LAST: Final = "\U0010ffff"
"""What comes behind everything that a key may go on with."""


@dataclass(frozen=True)
class Page(Generic[V]):
    """One page. ``after`` is the key for the next page; ``None`` on the last one.

    ``total``: how many there are on all pages, where that was asked for.
    """

    items: Sequence[V]
    after: str | None
    total: Total | None = None


async def view(views: Lookup[V], key: str) -> V | None:
    """The view of that key, if the read model has one."""
    seen = (await views.load([key])).get(key)
    return seen.view if seen else None


async def page(
    views: Finding[V],
    wanted: Mapping[str, str | None],
    *,
    by: str | None = None,
    since: str | None = None,
    until: str | None = None,
    after: str | None,
    descending: bool = False,
    limit: int,
    counted: bool = False,
) -> Page[V]:
    """Views whose fields equal the given values (``None``: any value), at most ``limit``.

    The others as :meth:`Finding.find` has them. ``counted``: with the total of all pages.
    ``ValueError`` for a limit that is not 1 to 500.
    """
    require_limit(limit)
    equal = {field: str(value) for field, value in wanted.items() if value is not None}
    which: Any = {"equal": equal, "by": by, "since": since, "until": until}
    # One more than the limit shows whether there is another page.
    found = await views.find(**which, after=after, descending=descending, limit=limit + 1)
    last = found[limit - 1][0] if len(found) > limit else None
    total = await views.total(**which) if counted else None
    return Page([seen.view for _, seen in found[:limit]], last, total)


async def page_below(
    views: Finding[V],
    prefix: str,
    *,
    after: str | None,
    descending: bool = False,
    limit: int,
    counted: bool = False,
) -> Page[V]:
    """Views whose keys begin with ``prefix``; it is left off in ``after``. ``limit`` as above."""
    found = await page(
        views,
        {},
        since=prefix,
        until=prefix + LAST,
        after=None if after is None else prefix + after,
        descending=descending,
        limit=limit,
        counted=counted,
    )
    return replace(found, after=found.after and found.after.removeprefix(prefix))


def require_limit(limit: int) -> None:
    """``ValueError`` for a page that is too large, or empty."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit is {limit}, it has to be 1 to {LARGEST_PAGE}")
