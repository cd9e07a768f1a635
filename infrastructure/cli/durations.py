"""Spans of time as an option takes them: ``7d``, ``12h``, ``90m``."""

import re
from datetime import timedelta

import typer

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def duration(text: str) -> timedelta:
    """The span. Raises ``BadParameter`` for any other text."""
    found = re.fullmatch(r"([0-9]{1,5})([dhm])", text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is not a span of time: write it like 7d, 12h or 90m")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def at_least_an_hour(text: str) -> timedelta:
    """The same; raises ``BadParameter`` for less than an hour, too."""
    span = duration(text)
    if span < timedelta(hours=1):
        raise typer.BadParameter(f"{text} is too short: an append may be under way for 1h")
    return span
