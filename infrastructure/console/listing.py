"""Lists on a page: the range of time that a form asks for, and the links to other pages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from application.time_range import TimeRange, time_range
from infrastructure.console.routing import BadAddress


def within(since: str | None, until: str | None) -> TimeRange:
    """What both fields of a form say. Raises :class:`BadAddress`."""
    try:
        return time_range(since, until, datetime.now(UTC))
    except ValueError as error:
        raise BadAddress(str(error)) from error


def pages(at: str, asked: Mapping[str, str], after: str | None, *, first: bool) -> dict[str, Any]:
    """The addresses of the next and the first page, which keep what was asked for.

    ``after``: where the next page begins, if there is one. ``first``: whether this is the first.
    """
    said = {name: value for name, value in asked.items() if value}
    following = {**said, "after": after}
    return {
        "following": f"{at}?{urlencode(following)}" if after is not None else None,
        "first": None if first else f"{at}?{urlencode(said)}",
    }
