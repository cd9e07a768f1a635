"""A range of time that a list is limited to, with its ends as people write them.

Commands and pages read them by :func:`time_range` alone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

FORMS: Final = "a day (2026-01-31), a time with its zone (2026-01-31T12:30Z), or a span (7d)"
"""What an end may be."""
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"(?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_SPAN: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class TimeRange:
    """From ``since`` on, and before ``until``, both whole seconds in UTC; ``None``: no end."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def is_over(self, at: datetime, *, newest_first: bool) -> bool:
        """Whether nothing that comes after ``at``, in that order, lies in it."""
        if newest_first:
            return self.since is not None and at < self.since
        return self.until is not None and at >= self.until

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day of which it has a part, in UTC."""
        last = self.until and max(self.until, _FIRST + _SECOND) - _SECOND
        return self.since and self.since.date(), last and last.date()

    @property
    def first_text(self) -> str | None:
        """The least text that a moment in it has in the JSON of a view."""
        return f"{self.since:%Y-%m-%dT%H:%M:%S}" if self.since else None

    @property
    def last_text(self) -> str | None:
        """The greatest one: ``.5Z`` is less than ``Z``, so it holds for parts of a second, too."""
        if self.until is None:
            return None
        return f"{self.until - _SECOND:%Y-%m-%dT%H:%M:%SZ}" if self.until > _FIRST else ""


EVER: Final = TimeRange()


def time_range(since: str | None, until: str | None, now: datetime) -> TimeRange:
    """What both ends say; empty text is no end. A day as ``until`` is included.

    ``ValueError`` that names the end which cannot be read, and what would be right.
    """
    first, last = (since or "").strip(), (until or "").strip()
    begin = moment(first, now, "since") if first else None
    end = moment(last, now, "until", end_of_day=True) if last else None
    if begin and end and (end < begin or (end == begin and _DAY.fullmatch(last))):
        raise ValueError(f"until {last} is before since {first}: swap them")
    return TimeRange(begin, end)


def moment(text: str, now: datetime, name: str, *, end_of_day: bool = False) -> datetime:
    """The moment that is meant, in UTC: a day begins at midnight; a span ends ``now``.

    ``end_of_day``: of a day, the moment at which it is over. ``ValueError`` that names ``name``.
    """
    try:
        if _DAY.fullmatch(text):
            return _day(date.fromisoformat(text), end_of_day=end_of_day)
        if span := _SPAN.fullmatch(text):
            return now.replace(microsecond=0) - timedelta(**{_UNITS[span[2]]: int(span[1])})
        if found := _MOMENT.fullmatch(text):
            return _zoned(found, name)
    except OverflowError:
        raise ValueError(f"{name} {text} lies outside of the years 1 to 9999") from None
    except ValueError as error:
        if str(error).startswith(name):
            raise
    raise ValueError(f"{name} {text[:80]!r} cannot be read: write {FORMS}")


def _day(day: date, *, end_of_day: bool) -> datetime:
    if end_of_day and day == date.max:  # no day comes after it
        return datetime.combine(day, time(23, 59, 59), UTC)
    return datetime.combine(day + timedelta(days=int(end_of_day)), time.min, UTC)


def _zoned(found: re.Match[str], name: str) -> datetime:
    if found["zone"] is None:
        raise ValueError(f"{name} {found[0]} has no time zone: write {found['at']}Z for UTC")
    return datetime.fromisoformat(found[0].upper()).astimezone(UTC)
