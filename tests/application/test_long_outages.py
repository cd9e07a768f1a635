"""Whoever sits out an outage sits out a long one, too: two hours and more, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import Progress, StoreUnavailable
from application.projections.runner import ProjectionRunner
from application.sagas.deadlines import Deadlines
from infrastructure import memory
from tests.sample.read_models.transfer_summary import transfer_summary
from tests.sample.service import SAMPLE
from tests.virtual_time import in_virtual_time

FAILURES = 2_000  # of attempts that are a few seconds apart


class AwayForLong(memory.Subscriptions):
    """Subscriptions of a store that does not answer for hours, and then does."""

    def __init__(self, store: memory.EventStore) -> None:
        super().__init__(store)
        self.failures = 0

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        if self.failures < FAILURES:
            self.failures += 1
            raise StoreUnavailable("away for hours")
        async with super().catch_up(after=after, only=only) as messages:
            yield messages


def test_a_projection_goes_on_after_hours() -> None:
    """However often a store has not answered, the runner asks again, and catches up."""

    async def outage() -> bool:
        away = AwayForLong(memory.EventStore(SAMPLE.catalogue))
        runner = ProjectionRunner(transfer_summary, away, memory.Views(transfer_summary), None)
        task = asyncio.create_task(runner.run())
        while not (task.done() or runner.status().caught_up):  # noqa: ASYNC110 - in virtual time
            await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return runner.status().last_error is not None and task.cancelled()

    assert in_virtual_time(outage())


def test_deadlines_go_on_after_hours() -> None:
    """However often the log could not be followed, the moments are learnt in the end."""

    async def outage() -> int:
        store = memory.EventStore(SAMPLE.catalogue)
        away = AwayForLong(store)
        deadlines = Deadlines("money_transfer", store, away)
        task = asyncio.create_task(deadlines.run())
        known = asyncio.create_task(deadlines.caught_up())
        await asyncio.wait([task, known], return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        await asyncio.wait([task])
        assert known.done()
        return away.failures

    assert in_virtual_time(outage()) == FAILURES
