"""All events, from the first to the last of now, with a report on the way."""

from uuid import uuid4

import pytest

from application.event_filter import EventFilter
from application.whole_log import Step, whole_log
from infrastructure import memory
from tests.application.test_damaged_streams import received
from tests.sample.aggregates import ACCOUNT
from tests.sample.service import SAMPLE


async def test_it_reports_how_much_is_read() -> None:
    """Every thousand events, with the share of the log that lies behind; it ends at the last."""
    store = memory.EventStore(SAMPLE.catalogue)
    for _ in range(5):
        await received(store, str(uuid4()), 500)
    steps: list[Step] = []

    async with whole_log(memory.Subscriptions(store), ACCOUNT.own, steps.append) as events:
        read = [recorded async for recorded in events]

    assert len(read) == 2_500
    assert [(step.part, step.done) for step in steps] == [
        ("reading the events", done) for done in (0, 1_000, 2_000)
    ]
    first, *shares = [step.share for step in steps]
    assert first is None
    assert shares == pytest.approx([0.4, 0.8], abs=0.01)


async def test_an_empty_log_ends_at_once() -> None:
    """There is nothing to wait for."""
    store = memory.EventStore(SAMPLE.catalogue)

    async with whole_log(memory.Subscriptions(store), EventFilter(frozenset())) as events:
        assert [recorded async for recorded in events] == []
