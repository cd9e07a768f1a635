"""What a runner reports about itself."""

from datetime import timedelta

from application.projections.status import Progressing
from tests.projection_specification import START


def test_a_rate_is_taken_from_when_it_fell_behind() -> None:
    """Before, it took in whatever came: that it was little says nothing of its speed."""
    now = START
    progress = Progressing("balances", lambda: now)
    progress.started(-1)
    progress.took_in(1, position=1)
    progress.live()
    for seconds in (9, 1):
        now += timedelta(seconds=seconds)
        progress.took_in(500, position=2)
        progress.behind()

    assert progress.status().rate == 500.0
