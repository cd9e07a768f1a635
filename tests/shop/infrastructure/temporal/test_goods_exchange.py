"""Exchanges of goods on Temporal, beside order fulfilment on the plain engine."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from application.messages import RecordedEvent
from application.sagas.performing import Performer
from application.shop.sagas.goods_exchange import goods_exchange
from application.shop.service import SHOP
from domain.exchanges import CloseExchange
from infrastructure.providers.simulated import Fault
from tests.application.sagas.world import Flow
from tests.infrastructure.temporal.conftest import skipping, temporal_skipping
from tests.infrastructure.temporal.driving import Driving
from tests.infrastructure.temporal.told import told
from tests.shop.application.sagas.exchange_world import (
    EXCHANGE,
    ExchangeWorld,
    delivered,
    delivered_in,
)
from tests.shop.contracts.saga_histories import EXCHANGES
from tests.waiting import until

__all__ = ["skipping", "temporal_skipping"]  # fixtures

ROUNDS = 200
TOO_LATE = "came too late"
"""Between the moment and what follows from it: a timer of Temporal leaves no such time."""
STREAM = f"{goods_exchange.name}-{EXCHANGE}"


class Exchanging(ExchangeWorld):
    """Its exchanges are workflows. Time passes on the server's clock."""

    async def drive(self, client: Client) -> None:
        performer = Performer(self.dispatch, SHOP.outside_calls(self.watched_outside()))
        own = SHOP.catalogue.own
        self.driving = Driving(client, [goods_exchange], own, self.watched, performer)
        plain = self.exchanging.events
        ours = Flow(self.driving.engine.events, self._handle)
        self.flows = [ours if one.events == plain else one for one in self.flows]
        self.watchers = self.watchers[:1]
        self.now = await self.driving.clock.now()

    async def _handle(self, recorded: RecordedEvent) -> None:
        await self.driving.engine.handle(recorded)
        for id in self.exchange_ids:
            await self.driving.rest(id)

    async def settle(self) -> None:
        for _ in range(ROUNDS):
            await self.work()
            if await self.people_act():
                continue
            if (due := self.saga_of().due) is None:
                return
            last = self.store.last_position
            await self._pass(due - await self.driving.clock.now())
            await until(lambda last=last: self.store.last_position > last)  # type: ignore[misc]
        raise AssertionError(f"this never ends: {self.saga_of()}")

    async def _pass(self, time: timedelta) -> None:
        await self.driving.clock.skip(time)
        self.now = await self.driving.clock.now()

    async def end(self) -> None:
        """A workflow that is left without a worker would stop the clock for all when it is due."""
        with suppress(RPCError):  # it has ended
            await self.driving.client.get_workflow_handle(STREAM).terminate()


async def exchanged(world: ExchangeWorld, name: str, faults: Sequence[Fault]) -> None:
    """A delivered order of which goods are exchanged, and what becomes of it."""
    world.faults.set(faults)
    world.goods_come = name not in ("expired", "cancelled")
    world.it_is_sent = name != "not sent"
    price = "1 GBP" if name == "given back" else "4 GBP"
    await world.exchange(price, quantity=4 if name == "out of stock" else 1)
    await world.engines_settle()
    if name == "cancelled":
        await world.tell(EXCHANGE, CloseExchange(reason="found it elsewhere"))
    await world.settle()


def commands(world: ExchangeWorld) -> Sequence[tuple[str, str, str]]:
    """What the exchange had done to aggregates. Those of one step have no order."""
    return sorted(
        (of.stream, of.type, str(of.metadata.command_id))
        for of in world.store.after(-1, 100_000)
        if of.metadata.saga_id == STREAM and of.stream != STREAM
    )


@pytest.mark.parametrize("name", sorted(EXCHANGES.keys() - {TOO_LATE}))
async def test_both_engines_do_the_same(name: str, skipping: Client) -> None:
    """Waits of two weeks, checks, refunds and undoing: the same events, and the same commands."""
    faults = EXCHANGES[name]
    plain = await delivered()
    await exchanged(plain, name, faults)

    ours = await delivered_in(Exchanging())
    await ours.drive(skipping)
    async with ours.driving:
        await exchanged(ours, name, faults)
        await ours.end()

    assert told(ours, STREAM) == told(plain, STREAM)
    assert commands(ours) == commands(plain)
    await ours.audited()
