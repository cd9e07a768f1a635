"""Inline projections: the view and the event are committed together, or not at all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.ports import StoreUnavailable, Subscriptions
from application.projections.builds import Build
from application.projections.builds import Note as Reason
from application.projections.projection import Projection, View
from application.projections.runner import ProjectionFailed, ProjectionRunner
from application.shop.aggregates import STOCK
from application.shop.read_models.customer_orders import customer_orders
from application.shop.read_models.daily_sales import daily_sales
from application.shop.read_models.stock_levels import stock_levels
from application.shop.service import SHOP
from domain.orders import OrderLine, PlaceOrder
from domain.stock import ReceiveStock, StockReceived
from domain.values import Money
from infrastructure import postgres as postgresql
from tests.projection_specification import at
from tests.waiting import until


class Tally(View):
    """How often each receipt was seen: once, if all is well."""

    seen: dict[str, int]


def _evolve(tally: Tally | None, recorded: RecordedEvent) -> Tally:
    event = recorded.event
    assert isinstance(event, StockReceived)
    if event.receipt_id.startswith("poison"):
        raise ValueError("this receipt makes no sense")
    seen = tally.seen if tally else {}
    return Tally(seen={**seen, event.receipt_id: seen.get(event.receipt_id, 0) + 1})


ALL = Projection(
    name="tally",
    version=1,
    view=Tally,
    follows=(STOCK,),
    keys=lambda _: ("all",),  # one view for all: the worst that can be shared
    evolve=_evolve,
    consistency="inline",
)


@dataclass(frozen=True)
class Process:
    """One process of the service, with connections of its own."""

    dispatch: CommandDispatch
    subscriptions: Subscriptions
    read_models: postgresql.ReadModels
    builds: postgresql.Builds

    async def receive(self, sku: str, receipt: str) -> None:
        await self.dispatch(sku, ReceiveStock(receipt_id=receipt, quantity=1), context())

    async def tally(self) -> Counter[str]:
        views = await (await self.read_models.live(ALL)).load(["all"])
        return Counter(views["all"].view.seen) if views else Counter()


def context(id: UUID | None = None) -> Context:
    return Context.start("a test", id or uuid4(), at(0))


@asynccontextmanager
async def process(
    uri: str, *inline: Projection[Any], behind: int = 1_000
) -> AsyncIterator[Process]:
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(postgresql.pool(uri))
        durable = await stack.enter_async_context(postgresql.durable_pool(uri))
        wake_up = await stack.enter_async_context(postgresql.wake_up(uri))
        await postgresql.migrate(pool)
        builds = postgresql.Builds(pool)
        await builds.register([ALL, stock_levels, daily_sales, customer_orders])
        commit = postgresql.InlineCommit(inline, None, SHOP.catalogue, behind=behind)
        store = postgresql.EventStore(
            durable, SHOP.catalogue, postgresql.GroupCommit(durable, commit)
        )
        yield Process(
            CommandDispatch(store, SHOP.catalogue),
            postgresql.Subscriptions(durable, wake_up, postgresql.Horizon(durable), SHOP.catalogue),
            postgresql.ReadModels(pool, [ALL], builds),
            builds,
        )


@asynccontextmanager
async def filled(here: Process, build: Build) -> AsyncIterator[ProjectionRunner[Any]]:
    """A runner fills that build, beside whoever appends."""
    views = here.read_models.of(ALL, build)
    await views.prepare()
    runner = ProjectionRunner(ALL, here.subscriptions, views, None)
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_what_is_appended_is_in_the_view_at_once(postgres: str) -> None:
    """No runner runs, and nobody waits: when the command is answered, the view shows it."""
    async with process(postgres, ALL) as here:
        for number in range(3):
            await here.receive(f"sku-{number}", f"r-{number}")
            assert await here.tally() == Counter({f"r-{n}": 1 for n in range(number + 1)})


async def test_an_event_that_the_view_cannot_take_in_is_not_appended(postgres: str) -> None:
    """All or nothing; and those that were appended at the same time do not suffer from it."""
    async with process(postgres, ALL) as here:
        outcomes = await asyncio.gather(
            *(here.receive(f"sku-{number}", f"r-{number}") for number in range(5)),
            here.receive("sku-bad", "poison"),
            return_exceptions=True,
        )

        assert [type(outcome) for outcome in outcomes] == [type(None)] * 5 + [ProjectionFailed]
        assert await here.tally() == Counter({f"r-{number}": 1 for number in range(5)})
        await here.receive("sku-bad", "r-good")  # expects a stream that does not exist
        assert (await here.tally())["r-good"] == 1


async def test_a_conflict_leaves_the_view_as_it_was(postgres: str) -> None:
    """Of two that expect the same version one is decided anew: each is counted once."""
    async with process(postgres, ALL) as here:
        await asyncio.gather(*(here.receive("sku", f"r-{number}") for number in range(4)))

        assert await here.tally() == Counter({f"r-{number}": 1 for number in range(4)})


async def test_processes_that_append_at_once_lose_and_double_nothing(postgres: str) -> None:
    """Three processes write one view, which a runner fills too: each event is in it once."""
    async with (
        process(postgres, ALL) as one,
        process(postgres, ALL) as two,
        process(postgres, ALL) as three,
    ):
        receipts = [f"r-{number}" for number in range(60)]
        async with filled(one, Build("tally", 1)) as runner:
            await asyncio.gather(
                *(
                    (one, two, three)[number % 3].receive(f"sku-{number % 20}", receipt)
                    for number, receipt in enumerate(receipts)
                )
            )
            assert await one.tally() == Counter(receipts)
            await until(lambda: runner.status().caught_up)

        assert await two.tally() == Counter(receipts)


async def test_a_runner_beside_has_nothing_to_do(postgres: str) -> None:
    """It sees that the views have come further without it, and does not take that for a failure."""
    async with process(postgres, ALL) as here, filled(here, Build("tally", 1)) as runner:
        await until(lambda: runner.status().caught_up)
        for number in range(5):
            await here.receive("sku", f"r-{number}")
            views = await here.read_models.live(ALL)
            checkpoint = await views.checkpoint()
            await until(lambda: runner.status().position == checkpoint)  # noqa: B023 - waited for here
            assert runner.status().last_error is None


async def test_who_is_far_behind_is_filled_by_its_runner_first(postgres: str) -> None:
    """Appends are refused meanwhile, in words, and go on as soon as the runner has come near."""
    async with process(postgres) as before:
        for number in range(6):
            await before.receive("sku", f"r-{number}")

    async with process(postgres, ALL, behind=5) as here:
        with pytest.raises(StoreUnavailable, match="tally is inline and more than 5 events behind"):
            await here.receive("sku", "r-6")
        async with filled(here, Build("tally", 1)) as runner:
            await until(lambda: runner.status().caught_up)

        await here.receive("sku", "r-6")
        assert await here.tally() == Counter({f"r-{number}": 1 for number in range(7)})


async def test_after_a_swap_the_new_build_is_the_inline_one(postgres: str) -> None:
    """A rebuild goes on beside it; from the swap on, appends write the new build."""
    note = Reason("a test", "to see it", at(0))
    async with process(postgres, ALL) as here:
        await here.receive("sku", "r-0")
        build = await here.builds.begin(ALL, note)
        async with filled(here, build) as runner:
            await until(lambda: runner.status().caught_up)
            await here.receive("sku", "r-1")
            await here.builds.swap(build, note)

        await here.receive("sku", "r-2")
        assert await here.tally() == Counter({"r-0": 1, "r-1": 1, "r-2": 1})


async def test_the_read_models_of_the_service_may_be_inline(postgres: str) -> None:
    """One that is split by stream, one by day, and one that is joined from parts."""
    inline = [replace(one, consistency="inline") for one in (stock_levels, daily_sales)]
    joined = replace(customer_orders, consistency="inline")
    async with process(postgres, *inline, joined) as here:
        line = OrderLine(
            sku="85123A", description="HEART", quantity=2, unit_price=Money.parse("2.55 GBP")
        )
        for number in range(3):
            wish = PlaceOrder(customer_id="17850", country="France", lines=(line,))
            await here.dispatch(f"{number}", wish, context())
        await here.receive("85123A", "r-0")

        async with postgresql.pool(postgres) as pool:
            levels = await postgresql.Views(pool, stock_levels).load(["85123A"])
            assert levels["85123A"].view.on_hand == 1
            customers = await postgresql.Views(pool, customer_orders).load(["17850"])
            assert len(customers["17850"].view.orders) == 3
