"""How far read models are behind, and what has to be counted to know it."""

from application.ports import StoreFacts
from application.projections.builds import WHOLE, Build, Report
from application.projections.lag import Lags
from application.projections.status import State
from infrastructure import memory
from tests.sample.read_models.balances import balances


async def test_events_are_counted_only_when_some_are_missing() -> None:
    """Counting reads the log in some stores; a command then took seconds on a long history."""
    builds = memory.Builds()
    await builds.register([balances])
    build = Build(balances.name, balances.version)
    await builds.claim({(build, WHOLE): Report("a process", State.LIVE)}, seconds=60)

    def counts() -> StoreFacts:
        raise AssertionError("nothing is missing, so there is nothing to count")

    (lag,) = await Lags([balances], builds, counts).counted()

    assert (lag.seconds, lag.events) == (0.0, 0)
