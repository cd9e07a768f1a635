"""Which builds ``projections list --watch`` waits for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from application.projections.builds import (
    WHOLE,
    Build,
    BuildStanding,
    Note,
    Report,
    Role,
    ShardStanding,
)
from application.projections.lag import Lag, in_words
from application.projections.status import State
from infrastructure.cli.standing_lines import Row, lines_of
from infrastructure.cli.standings import _look

NOW: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
BUILD: Final = Build("balances", 2)


def a_build(
    lag: float | None,
    *,
    silent: float | None = 0.0,
    role: Role = Role.LIVE,
    state: State = State.CATCHING_UP,
    paused: Note | None = None,
) -> Row:
    """A build that is so far behind, and whose process has reported so many seconds ago."""
    report = None if silent is None else Report("a process", state, NOW, 50.0)
    reported_at = None if silent is None else NOW - timedelta(seconds=silent)
    leased = silent is not None and silent < 5
    shard = ShardStanding(WHOLE, 70, 7, None, report, reported_at, leased)
    standing = BuildStanding(BUILD, role, paused, [shard], NOW)
    events = 0 if lag == 0 else 3
    counted = Lag(
        BUILD,
        role,
        answers=True,
        state=in_words(standing),
        position=70,
        seconds=lag,
        events=events,
        rate=50.0,
        breached=False,
        failed=False,
        paused=paused is not None,
        taken_in=7,
        seen_at=NOW,
    )
    return Row(standing, counted, 100)


PAUSED: Final = Note("Ada", "a look", NOW)


@pytest.mark.parametrize(
    ("row", "watched_for", "waits"),
    [
        (a_build(0.0, state=State.LIVE), 0.0, False),
        (a_build(0.4), 0.0, False),
        (a_build(7.0), 9_000.0, True),
        (a_build(None, state=State.RECONNECTING), 9_000.0, True),
        (a_build(7.0, paused=PAUSED), 0.0, False),
        (a_build(7.0, role=Role.BUILDING), 0.0, True),
        (a_build(None, role=Role.PREVIOUS, silent=600), 0.0, False),
        (a_build(None, silent=600), 29.0, True),
        (a_build(None, silent=600), 30.0, False),
        (a_build(None, silent=20), 600.0, True),
        (a_build(None, silent=None), 29.0, True),
        (a_build(None, silent=None), 31.0, False),
    ],
    ids=[
        "caught up",
        "within a second",
        "behind",
        "its store is away",
        "paused",
        "filled by a deploy",
        "an earlier one that nobody fills",
        "nobody fills it, a moment ago somebody may have",
        "nobody fills it",
        "its process has just gone",
        "never filled, yet",
        "never filled",
    ],
)
def test_a_build_is_waited_for_while_it_can_catch_up(
    row: Row, watched_for: float, waits: bool
) -> None:
    """By itself, that is: not where a person has to act, and half a minute for a process."""
    assert _look([row], watched_for).waits is waits


def test_a_time_that_goes_by_is_no_change() -> None:
    """A log gets a block when something has happened; an event taken in is such a thing."""
    row = a_build(7.0)
    later = row._replace(lag=replace(row.lag, seconds=9.0))
    further = row._replace(lag=replace(row.lag, events=2))

    assert _look([later], 1.0).figures == _look([row], 0.0).figures
    assert _look([further], 0.0).figures != _look([row], 0.0).figures


def test_lag_rate_and_time_to_catch_up_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in its column; how much of its events a build has, beside its status."""
    monkeypatch.setenv("COLUMNS", "200")

    head, line = (text.plain for text in [*lines_of([a_build(7.0)])][:2])

    assert " ".join(head.split()).endswith("status lag events rate done in filled by")
    assert " ".join(line.split()).endswith("catching up 70% 7 s 3 50/s 0.1 s a process")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_what_catches_up_fits_every_width(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Its figures are the longest then: no line is longer, and no figure is broken."""
    monkeypatch.setenv("COLUMNS", str(width))
    row = a_build(1_234_567.0)
    row = row._replace(lag=replace(row.lag, events=12_345_678, rate=1_234.0))

    shown = [text.plain for text in lines_of([row])]

    assert max(map(len, shown)) <= width
    for whole in ("catching up 0%", "14.3 days", "12,345,678", "1,234/s", "2.8 h", "a process"):
        assert any(whole in line for line in shown), whole
