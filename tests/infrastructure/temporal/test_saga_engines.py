"""Which engine drives which saga, and how the plain one watches over those of another."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from application.log_end import LogEnd
from application.messages import Context
from application.ports import NO_STREAM
from application.sagas.events import SagaStarted, StepBegun, StepDelayed
from application.writability import Writability
from infrastructure import memory
from infrastructure.other_engines import LATE
from infrastructure.saga_engines import deadlines
from tests.sample.money_transfer import money_transfer
from tests.sample.service import SAMPLE

NAME = money_transfer.name


async def delayed_until(moment: datetime) -> memory.EventStore:
    """A store with one saga that is to try again at that moment."""
    store = memory.EventStore(SAMPLE.catalogue)
    context = Context.start("a test", uuid4(), moment)
    later = moment + timedelta(hours=1)
    history = (
        SagaStarted(saga=NAME, version=1, facts={}),
        StepBegun(step="pay fee", deadline=later),
        StepDelayed(step="pay fee", error="away", again_at=moment),
    )
    events = [SAMPLE.catalogue.new_event(event, uuid4(), context) for event in history]
    await store.append(f"{NAME}-t-1", events, NO_STREAM)
    return store


@pytest.mark.parametrize("late", [timedelta(seconds=1), LATE + timedelta(seconds=1)])
@pytest.mark.parametrize("elsewhere", [(), (NAME,)], ids=["plain", "elsewhere"])
async def test_another_engine_is_given_time_to_wake_a_saga(
    elsewhere: tuple[str, ...], late: timedelta
) -> None:
    """The watch wakes sagas of the plain engine at once, and those of another one 30 s late."""
    store = await delayed_until(datetime.now(UTC) - late)
    subscriptions = memory.Subscriptions(store)
    end = LogEnd(subscriptions, Writability(store, "here"))
    watch = deadlines(SAMPLE, store, subscriptions, end, elsewhere)[NAME]
    for recorded in store.after(-1, 100):
        if recorded in watch.events:
            watch.learn(recorded)

    await watch.wake()

    woken = store.after(-1, 100)[-1].type == "SagaWoken"
    assert woken == (not elsewhere or late > LATE)
