"""The bank whose transfers are driven by Temporal, on the server that skips time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from temporalio.client import Client

from application.sagas.performing import Performer
from infrastructure.providers.simulated import Fault
from tests.infrastructure.temporal.driving import Driving
from tests.sample.money_transfer import money_transfer
from tests.sample.world import Bank
from tests.waiting import until

ROUNDS: Final = 100


class TemporalBank(Bank):
    """As the bank in memory, but the clock that counts is the server's. Use :func:`at_work`."""

    def __init__(self, client: Client, *faults: Fault, seed: int = 0) -> None:
        super().__init__(*faults, seed=seed)
        self._handed_out = -1
        performer = Performer(self.dispatch, self.service.outside_calls(self.watched_outside()))
        own = self.service.catalogue.own
        self.driving = Driving(client, [money_transfer], own, self.watched, performer)

    async def settle(self) -> None:
        """Let everything come to its end, however long that takes on the server's clock."""
        for _ in range(ROUNDS):
            await self.work()
            states = [self.saga(id) for id in self._requested()]
            if not (dues := [state.due for state in states if state.due is not None]):
                return
            last = self.store.last_position
            await self.driving.clock.skip(min(dues) - await self.driving.clock.now())
            await until(partial(self._has_more_than, last))
        raise AssertionError(f"this never ends: {states}")

    def _has_more_than(self, position: int) -> bool:
        return self.store.last_position > position

    async def work(self) -> None:
        """Hand out what is new until nothing is, and all workflows can only wait."""
        while await self._hand_out():
            for id in self._requested():
                await self.driving.rest(id)

    async def _hand_out(self) -> bool:
        """Hand out what is new; whether anything was."""
        recorded = self.store.after(self._handed_out, 100_000)
        for one in recorded:
            self._handed_out = one.position
            if one in self.driving.engine.events:
                await self.driving.engine.handle(one)
        return bool(recorded)

    def _requested(self) -> Sequence[str]:
        recorded = self.store.after(-1, 100_000)
        return [of.stream_id for of in recorded if of.type == "TransferRequested"]


@asynccontextmanager
async def at_work(client: Client, *faults: Fault) -> AsyncIterator[TemporalBank]:
    """With a worker, as long as the block lasts."""
    bank = TemporalBank(client, *faults)
    async with bank.driving:
        yield bank
