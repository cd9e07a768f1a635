"""Worlds whose sagas are driven by Temporal, on the server that skips time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

from temporalio.client import Client

from application.sagas.performing import Performer
from infrastructure.providers.simulated import Fault
from tests.application.sagas import world
from tests.infrastructure.temporal.driving import Driving
from tests.waiting import until

ROUNDS: Final = 100


class CutOff(RuntimeError):
    """The work that is under way ends here."""


class OnTemporal(world.World[Any]):
    """As a world in memory, but the clock that counts is the server's. Use :func:`at_work`."""

    driving: Driving

    def drive(self, client: Client) -> None:
        """Have Temporal drive its saga."""
        self._handed_out = -1
        performer = Performer(self.dispatch, self.service.outside_calls(self.watched_outside()))
        own = self.service.catalogue.own
        self.driving = Driving(client, self.versions, own, self.watched, performer)

    async def settle(self) -> None:
        """Let everything come to its end, however long that takes on the server's clock."""
        await settled(self)

    @property
    def due(self) -> datetime | None:
        """When its next saga is."""
        states = [self.saga(id) for id in self._begun()]
        return min((state.due for state in states if state.due is not None), default=None)

    async def has_moved(self, last: int) -> None:
        """Return once there are events after that position."""
        await until(lambda: self.store.last_position > last)

    async def work(self) -> None:
        """Hand out what is new until nothing is, and all workflows can only wait."""
        while await self._hand_out():
            for id in self._begun():
                await self.driving.rest(id)

    def handed_out(self) -> None:
        """What there is so far is not handed out (again)."""
        self._handed_out = self.store.last_position

    async def _hand_out(self) -> bool:
        """Hand out what is new; whether anything was."""
        recorded = self.store.after(self._handed_out, 100_000)
        for one in recorded:
            if one in self.driving.engine.events:
                try:
                    await self.driving.engine.handle(one)
                except CutOff:  # as a consumer group does: it is handed out again
                    break
            self._handed_out = one.position
        return bool(recorded)

    def _begun(self) -> Sequence[str]:
        """The ids of its sagas."""
        saga = self.saga_under_test
        recorded = self.store.after(-1, 100_000)
        starts = [of for of in recorded if of.type == saga.starts.__name__]
        return [of.stream_id for of in starts if saga.started_by(of) is not None]


async def settled(*worlds: OnTemporal) -> None:
    """Let everything come to its end in all of them, which have one server, and so one clock.

    Only one at a time may let its time pass: the server counts who holds its clock.
    """
    clock = worlds[0].driving.clock
    for _ in range(ROUNDS):
        await asyncio.gather(*(one.work() for one in worlds))
        if not (dues := {one: due for one in worlds if (due := one.due) is not None}):
            return
        last = {one: one.store.last_position for one in dues}
        await clock.skip((first := min(dues.values())) - await clock.now())
        await asyncio.gather(
            *(one.has_moved(last[one]) for one, due in dues.items() if due <= first)
        )
    raise AssertionError(f"this never ends: {[one.due for one in worlds]}")


W = TypeVar("W", bound=OnTemporal)


@asynccontextmanager
async def at_work(kind: type[W], client: Client, *faults: Fault) -> AsyncIterator[W]:
    """A world of that kind with a worker, as long as the block lasts."""
    made: Any = kind
    one: W = made(*faults)
    one.drive(client)
    async with one.driving:
        yield one
