"""Steps that wait or check, on both engines: early, late, twice, never; days pass on each clock."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from application.sagas.events import SagaRetried
from application.sagas.saga import Saga
from application.sagas.state import SagaStatus
from application.sagas.stream import SagaStream
from tests.application.sagas.small_saga import (
    APPROVED,
    CHECK,
    DAY,
    GO,
    NAME,
    OPEN,
    PAUSE,
    Small,
    saga,
)
from tests.infrastructure.temporal.driving import Driving
from tests.sample.service import SAMPLE
from tests.sample.transfers import CancelTransfer, CompleteTransfer

Story = Callable[[Small], Awaitable[None]]


class TemporalSmall(Small):
    """As the small saga in memory, on the server's clock. Its worker is in ``driving``."""

    def drive(self, client: Client) -> None:
        own = SAMPLE.catalogue.own
        self.driving = Driving(
            client,
            [self.definition],
            own,
            self.store,
            self._perform,
            lambda *heard: self.ages.append(heard[-1]),
        )

    async def run(self, days: float = 0) -> None:
        """Let so much time pass, and hand out what is new; every event is handed out twice."""
        if days:
            await self.driving.clock.skip(days * DAY)
        self.now = await self.driving.clock.now()
        while events := self.store.after(self._handled, 1000):
            self._handled = events[-1].position
            for recorded in [*events, *events]:
                if recorded in self.driving.engine.events:
                    await self.driving.engine.handle(recorded)
                    await self.driving.rest("1")

    async def end(self) -> None:
        """A workflow that is left without a worker would stop the clock for all when it is due."""
        with suppress(RPCError):  # it has ended
            await self.driving.client.get_workflow_handle(f"{NAME}-1").terminate()


async def approved(small: Small) -> None:
    await small.run()
    await small.run(days=2)
    await small.approve()
    await small.run()


async def approved_at_once(small: Small) -> None:
    await small.approve()
    await small.run()


async def never_approved(small: Small) -> None:
    await small.run()
    await small.run(days=2.9)
    assert (await small.state()).waiting
    await small.run(days=0.2)
    await small.run()


async def approved_too_late(small: Small) -> None:
    await never_approved(small)
    await small.approve()
    await small.run()


async def cancelled(small: Small) -> None:
    await small.run()
    await small.dispatch(CancelTransfer(reason="changed my mind"))
    await small.run()


async def a_day_passes(small: Small) -> None:
    await small.run()
    await small.run(days=0.9)
    assert small.performed == [["open"]]
    await small.run(days=0.2)
    await small.run()


async def retried(small: Small) -> None:
    await small.run()
    await small.run(days=4)
    await small.run()
    assert (await small.state()).status is SagaStatus.FAILED
    stream = await SagaStream(small.store, NAME, "1").read()
    await stream.append([SagaRetried(by="ada", reason="the bank was on strike")], small.now)
    await small.run()
    assert (await small.state()).waiting
    await small.approve()
    await small.run()


async def at_once(small: Small) -> None:
    await small.run()


async def checked(small: Small) -> None:
    await small.approve()
    await small.dispatch(CompleteTransfer())
    await small.run()


AGAIN = APPROVED.__class__("await it again", waits=APPROVED.waits)
STORIES: Sequence[tuple[str, Story, Saga[Any]]] = [
    ("approved", approved, saga(OPEN, APPROVED, GO)),
    ("approved at once", approved_at_once, saga(OPEN, APPROVED, GO)),
    ("one event for two waits", approved, saga(OPEN, APPROVED, AGAIN, GO)),
    ("never approved", never_approved, saga(OPEN, APPROVED, GO)),
    ("approved too late", approved_too_late, saga(OPEN, APPROVED, GO)),
    ("cancelled", cancelled, saga(OPEN, APPROVED, GO)),
    ("a pause", a_day_passes, saga(OPEN, PAUSE, GO)),
    ("retried", retried, saga(OPEN, APPROVED, GO, no_return="open")),
    ("a check that fails", at_once, saga(OPEN, CHECK, GO)),
    ("a check that holds", checked, saga(OPEN, CHECK, GO)),
]


@pytest.mark.parametrize(("story", "definition"), [pytest.param(*of, id=id) for id, *of in STORIES])
async def test_both_engines_wait_and_check_alike(
    story: Story, definition: Saga[Any], skipping: Client
) -> None:
    """The same events of the saga, and the same actions; time in which it waited is no age."""
    plain, ours = Small(definition), TemporalSmall(definition)
    async with AsyncExitStack() as stack:
        ours.drive(skipping)
        await stack.enter_async_context(ours.driving)
        stack.push_async_callback(ours.end)
        ours.now = await ours.driving.clock.now()
        for small in (plain, ours):
            await small.request()
            await story(small)

    assert told(ours) == told(plain)
    assert ours.performed == plain.performed
    if story is approved:
        assert max(ours.ages) < timedelta(minutes=1)


def told(small: Small) -> Sequence[str]:
    return [line for line in small.history() if line.strip() != "SagaWoken"]
