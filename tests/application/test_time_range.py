"""The ends of a range of time, as people write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel

from application.time_range import EVER, TimeRange, time_range

NOW = datetime(2026, 2, 3, 4, 5, 6, 700_000, UTC)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-01-31", "2026-01-31T00:00:00", "2026-02-01T00:00:00"),
        (" 2026-01-31 ", "2026-01-31T00:00:00", "2026-02-01T00:00:00"),
        ("2026-01-31T12:30Z", "2026-01-31T12:30:00", "2026-01-31T12:30:00"),
        ("2026-01-31 12:30:15z", "2026-01-31T12:30:15", "2026-01-31T12:30:15"),
        ("2026-01-31T12:30+02:00", "2026-01-31T10:30:00", "2026-01-31T10:30:00"),
        ("7d", "2026-01-27T04:05:06", "2026-01-27T04:05:06"),
        ("2w", "2026-01-20T04:05:06", "2026-01-20T04:05:06"),
        ("90m", "2026-02-03T02:35:06", "2026-02-03T02:35:06"),
        ("2999-01-01", "2999-01-01T00:00:00", "2999-01-02T00:00:00"),
    ],
)
def test_an_end_is_a_day_a_time_or_a_span(text: str, since: str, until: str) -> None:
    """A day is included as either end; a time that lies ahead is one as any other."""
    found = [time_range(text, None, NOW).since, time_range(None, text, NOW).until]

    assert found == [datetime.fromisoformat(f"{one}+00:00") for one in (since, until)]


def test_what_is_left_empty_is_no_end() -> None:
    """As a form sends it."""
    assert time_range("", None, NOW) == time_range(None, "  ", NOW) == EVER


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("yesterday", "cannot be read: write a day (2026-01-31), a time with its zone"),
        ("2026-02-30", "cannot be read"),
        ("2026-01-31T25:00Z", "cannot be read"),
        ("20260131", "cannot be read"),
        ("7", "cannot be read"),
        ("-7d", "cannot be read"),
        ("\u0662\u0660\u0662\u0666-01-31", "cannot be read"),
        ("2026-01-31\x00", "cannot be read"),
        ("2026-01-31T12:30", "has no time zone: write 2026-01-31T12:30Z for UTC"),
        ("999999w", "lies outside of the years 1 to 9999"),
        ("0001-01-01T00:00+02:00", "lies outside of the years 1 to 9999"),
    ],
)
def test_what_is_no_end_is_refused(text: str, why: str) -> None:
    """The refusal names the end, and what would be right."""
    for name, ends in (("since", (text, None)), ("until", (None, text))):
        with pytest.raises(ValueError, match=name) as refused:
            time_range(ends[0], ends[1], NOW)
        assert why in str(refused.value)


def test_the_last_day_that_there_is_can_be_written() -> None:
    """People write it for "no end"."""
    assert datetime(9999, 12, 31, 12, tzinfo=UTC) in time_range(None, "9999-12-31", NOW)


def test_until_cannot_come_before_since() -> None:
    """Both are named; a range of one day, or of no second, is one."""
    assert time_range("2026-01-31", "2026-01-31", NOW)
    assert time_range("1d", "1d", NOW)
    for last in ("2026-01-31", "2026-01-30", "2026-01-31T23:59Z"):
        with pytest.raises(ValueError, match=f"until {last} is before since 2026-02-01"):
            time_range("2026-02-01", last, NOW)


class _View(BaseModel):
    at: AwareDatetime


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 9)),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_texts_of_views_are_compared_as_the_moments_are(
    at: datetime, first: int, length: int
) -> None:
    """A text lies between both texts exactly if its moment lies in the range."""
    begin = datetime(2026, 1, 1, 0, 0, first, tzinfo=UTC)
    range = TimeRange(begin, begin + timedelta(seconds=length))
    moment = at.replace(tzinfo=UTC)
    text = _View(at=moment).model_dump(mode="json")["at"]
    first_text, last_text = range.first_text, range.last_text
    assert first_text is not None
    assert last_text is not None

    assert (first_text <= text <= last_text) is (moment in range)
