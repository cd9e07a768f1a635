"""A read model may be late for a moment, not for long."""

from application.projections.builds import Build, Role
from application.projections.lag import Lag
from application.projections.staleness import Staleness
from tests.projection_specification import START


def lag(seconds: float | None, *, breached: bool) -> Lag:
    return Lag(
        build=Build("boxes", 1),
        role=Role.LIVE,
        answers=True,
        state="live",
        position=7,
        seconds=seconds,
        events=None,
        rate=None,
        breached=breached,
        failed=False,
        paused=False,
        taken_in=0,
        seen_at=START,
    )


FRESH, OLD = lag(0.0, breached=False), lag(60.0, breached=True)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def caught_up(clock: Clock) -> Staleness:
    """Of read models that have kept their promise once since the start."""
    staleness = Staleness(lasting=30.0, clock=clock)
    staleness.look([FRESH])
    return staleness


def test_nothing_is_forgiven_before_it_has_caught_up() -> None:
    """At the start a read model that is behind is not ready, not even for a moment."""
    staleness = Staleness()
    staleness.look([OLD])
    assert staleness.verdict(OLD) == "live, has not caught up since the start"

    staleness.look([FRESH])
    staleness.look([OLD])
    assert staleness.verdict(OLD) == "ok"


def test_only_a_breach_that_lasts_makes_it_unready() -> None:
    """Up to the limit it is ok; from there on it is not, until the read model is fresh again."""
    clock = Clock()
    staleness = caught_up(clock)
    verdicts = []
    for clock.seconds, seen in ((0, OLD), (29.9, OLD), (30, OLD), (31, FRESH), (61, OLD)):
        staleness.look([seen])
        verdicts.append(staleness.verdict(seen))

    assert verdicts == ["ok", "ok", "live, too old for 30 s", "ok", "ok"]
    assert staleness.breaches == {"boxes": 2}


def test_short_breaches_do_not_add_up() -> None:
    """Fresh in between, the time starts anew, however often it is late."""
    clock = Clock()
    staleness = caught_up(clock)
    for clock.seconds, seen in ((0, OLD), (20, FRESH), (25, OLD), (50, OLD)):
        staleness.look([seen])

    assert staleness.verdict(OLD) == "ok"


def test_unknown_is_not_fresh() -> None:
    """Before anybody has said how old a read model is, it is not ready."""
    assert Staleness().verdict(lag(None, breached=False)) == "live, how old is not known yet"
