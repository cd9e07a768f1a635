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
from application.projections.failures import ProjectionFailed
from application.projections.projection import Projection, View
from application.projections.runner import ProjectionRunner
from infrastructure import postgres as postgresql
from tests.projection_specification import at
from tests.sample.accounts import Deposit, Deposited
from tests.sample.aggregates import ACCOUNT
from tests.sample.read_models.balances import balances
from tests.sample.read_models.daily_transfers import daily_transfers
from tests.sample.read_models.statements import statements
from tests.sample.service import SAMPLE
from tests.sample.transfers import RequestTransfer
from tests.waiting import until


class Tally(View):
    """How often each deposit was seen: once, if all is well."""

    seen: dict[str, int]


def _evolve(tally: Tally | None, recorded: RecordedEvent) -> Tally:
    event = recorded.event
    assert isinstance(event, Deposited)
    if event.deposit_id.startswith("poison"):
        raise ValueError("this deposit makes no sense")
    seen = tally.seen if tally else {}
    return Tally(seen={**seen, event.deposit_id: seen.get(event.deposit_id, 0) + 1})


ALL = Projection(
    name="tally",
    version=1,
    view=Tally,
    follows=(ACCOUNT,),
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

    async def deposit(self, account: str, id: str) -> None:
        await self.dispatch(account, Deposit(deposit_id=id, amount=1), context())

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
        await builds.register([ALL, balances, daily_transfers, statements])
        commit = postgresql.InlineCommit(inline, None, SAMPLE.catalogue, behind=behind)
        store = postgresql.EventStore(
            durable, SAMPLE.catalogue, postgresql.GroupCommit(durable, commit)
        )
        yield Process(
            CommandDispatch(store, SAMPLE.catalogue),
            postgresql.Subscriptions(
                durable, wake_up, postgresql.Horizon(durable), SAMPLE.catalogue
            ),
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
            await here.deposit(f"account-{number}", f"d-{number}")
            assert await here.tally() == Counter({f"d-{n}": 1 for n in range(number + 1)})


async def test_an_event_that_the_view_cannot_take_in_is_not_appended(postgres: str) -> None:
    """All or nothing; and those that were appended at the same time do not suffer from it."""
    async with process(postgres, ALL) as here:
        outcomes = await asyncio.gather(
            *(here.deposit(f"account-{number}", f"d-{number}") for number in range(5)),
            here.deposit("account-bad", "poison"),
            return_exceptions=True,
        )

        assert [type(outcome) for outcome in outcomes] == [type(None)] * 5 + [ProjectionFailed]
        assert await here.tally() == Counter({f"d-{number}": 1 for number in range(5)})
        await here.deposit("account-bad", "d-good")  # expects a stream that does not exist
        assert (await here.tally())["d-good"] == 1


async def test_a_conflict_leaves_the_view_as_it_was(postgres: str) -> None:
    """Of two that expect the same version one is decided anew: each is counted once."""
    async with process(postgres, ALL) as here:
        await asyncio.gather(*(here.deposit("a", f"d-{number}") for number in range(4)))

        assert await here.tally() == Counter({f"d-{number}": 1 for number in range(4)})


async def test_processes_that_append_at_once_lose_and_double_nothing(postgres: str) -> None:
    """Three processes write one view, which a runner fills too: each event is in it once."""
    async with (
        process(postgres, ALL) as one,
        process(postgres, ALL) as two,
        process(postgres, ALL) as three,
    ):
        ids = [f"d-{number}" for number in range(60)]
        async with filled(one, Build("tally", 1)) as runner:
            await asyncio.gather(
                *(
                    (one, two, three)[number % 3].deposit(f"account-{number % 20}", id)
                    for number, id in enumerate(ids)
                )
            )
            assert await one.tally() == Counter(ids)
            await until(lambda: runner.status().caught_up)

        assert await two.tally() == Counter(ids)


async def test_a_runner_beside_has_nothing_to_do(postgres: str) -> None:
    """It sees that the views have come further without it, and does not take that for a failure."""
    async with process(postgres, ALL) as here, filled(here, Build("tally", 1)) as runner:
        await until(lambda: runner.status().caught_up)
        for number in range(5):
            await here.deposit("a", f"d-{number}")
            views = await here.read_models.live(ALL)
            checkpoint = await views.checkpoint()
            await until(lambda: runner.status().position == checkpoint)  # noqa: B023 - waited for here
            assert runner.status().last_error is None


async def test_who_is_far_behind_is_filled_by_its_runner_first(postgres: str) -> None:
    """Appends are refused meanwhile, in words, and go on as soon as the runner has come near."""
    async with process(postgres) as before:
        for number in range(6):
            await before.deposit("a", f"d-{number}")

    async with process(postgres, ALL, behind=5) as here:
        with pytest.raises(StoreUnavailable, match="tally is inline and more than 5 events behind"):
            await here.deposit("a", "d-6")
        async with filled(here, Build("tally", 1)) as runner:
            await until(lambda: runner.status().caught_up)

        await here.deposit("a", "d-6")
        assert await here.tally() == Counter({f"d-{number}": 1 for number in range(7)})


async def test_after_a_swap_the_new_build_is_the_inline_one(postgres: str) -> None:
    """A rebuild goes on beside it; from the swap on, appends write the new build."""
    note = Reason("a test", "to see it", at(0))
    async with process(postgres, ALL) as here:
        await here.deposit("a", "d-0")
        build = await here.builds.begin(ALL, note)
        async with filled(here, build) as runner:
            await until(lambda: runner.status().caught_up)
            await here.deposit("a", "d-1")
            await here.builds.swap(build, note)

        await here.deposit("a", "d-2")
        assert await here.tally() == Counter({"d-0": 1, "d-1": 1, "d-2": 1})


async def test_read_models_of_every_kind_may_be_inline(postgres: str) -> None:
    """One that is split by stream, one by day, and one that is joined from parts."""
    inline = [replace(one, consistency="inline") for one in (balances, daily_transfers, statements)]
    async with process(postgres, *inline) as here:
        for number in range(3):
            request = RequestTransfer(source="a", target="b", amount=2)
            await here.dispatch(f"{number}", request, context())
        await here.deposit("a", "d-0")

        async with postgresql.pool(postgres) as pool:
            found = await postgresql.Views(pool, balances).load(["a"])
            assert found["a"].view.balance == 1
            days = await postgresql.Views(pool, daily_transfers).load(["2026-01-01/EUR"])
            assert days["2026-01-01/EUR"].view.amount == 6
            of_both = await postgresql.Views(pool, statements).load(["a", "b"])
            assert [len(of_both[id].view.entries) for id in "ab"] == [3, 3]
