"""The options of commands that list: which page, in which order, of which time."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from application.time_range import TimeRange, time_range
from infrastructure.cli.process import UsageError

After = Annotated[
    str | None,
    typer.Option(help="Go on after this place; each page ends with it.", metavar="PLACE"),
]
Limit = Annotated[int, typer.Option(help="At most this many, 1 to 500.")]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Show it again each second, in place on a terminal; elsewhere, and as data, again "
        "after each change. Ends when nothing is left to wait for.",
    ),
]
OldestFirst = Annotated[bool, typer.Option("--oldest-first", help="Oldest first.")]


def since_option(*also: str) -> Any:
    """``--since``, and what it is called besides."""
    return typer.Option(
        "--since",
        *also,
        metavar="TIME",
        help="Only from then on: a day (`2026-01-31`) or a time (`2026-01-31T12:30Z`); "
        "`7d`, `12h`: so long ago.",
    )


def until_option(*also: str) -> Any:
    """``--until``, and what it is called besides."""
    return typer.Option(
        "--until", *also, metavar="TIME", help="Only before then; a day is included. In UTC."
    )


Since = Annotated[str | None, since_option()]
Until = Annotated[str | None, until_option()]


def within(since: str | None, until: str | None) -> TimeRange:
    """What ``--since`` and ``--until`` say. Raises :class:`UsageError`."""
    try:
        return time_range(since, until, datetime.now(UTC))
    except ValueError as error:
        raise UsageError(f"--{error}") from error
