"""The contract of ``GuardedViews``, on every adapter."""

import asyncio
from collections.abc import AsyncIterator
from itertools import permutations

import pytest

from application.ports import GuardedViews, Removed, Seen
from application.projections.builds import Build  # only: search
from infrastructure import (
    dynamodb,  # only: dynamodb_views
    memory,
)
from infrastructure.dynamodb.read_models.documents import Documents  # only: dynamodb_views
from tests.contracts.baskets import BASKETS, Basket, basket, seen
from tests.contracts.dynamodb import DYNAMODB, dynamodb_of  # only: dynamodb_views
from tests.contracts.search_engines import ENGINES, engine_of  # only: search

NEWER = [Seen(basket(items=5), 5), Removed(5)]


@pytest.fixture(
    params=[
        "memory",
        *ENGINES[1:],  # only: search
        DYNAMODB,  # only: dynamodb_views
    ]
)
async def guarded(request: pytest.FixtureRequest) -> AsyncIterator[GuardedViews[Basket]]:
    if request.param == "memory":
        yield memory.GuardedViews()
        return
    # only: dynamodb_views
    if request.param == DYNAMODB:
        async with dynamodb_of(request) as database:
            documents = Documents(BASKETS.name, BASKETS.view, BASKETS)
            yield dynamodb.GuardedViews(database, documents)
        return
    # end: dynamodb_views
    # only: search
    async with engine_of(request) as engine:
        index = engine.index(BASKETS, Build(BASKETS.name, BASKETS.version))
        await index.prepare()
        yield index
    # end: search


async def test_what_is_written_is_loaded(guarded: GuardedViews[Basket]) -> None:
    """Once a write has ended, it is loaded as it was written; what is not there is left out."""
    await guarded.prepare()

    await guarded.write({**seen(1, a=basket()), "b": Removed(2)})

    assert await guarded.load(["a", "b", "c"]) == {**seen(1, a=basket()), "b": Removed(2)}


@pytest.mark.parametrize("there", NEWER)
@pytest.mark.parametrize("position", [4, 5])
@pytest.mark.parametrize("remove", [False, True])
async def test_nothing_newer_is_replaced(
    guarded: GuardedViews[Basket], there: Seen[Basket] | Removed, position: int, remove: bool
) -> None:
    """A view or a removal stays where it has seen an event at that position or later."""
    await guarded.write({"a": there})

    late = Removed(position) if remove else Seen(basket(items=99), position)
    await guarded.write({"a": late, **seen(1, b=basket())})

    assert await guarded.load(["a", "b"]) == {"a": there, **seen(1, b=basket())}


@pytest.mark.parametrize("there", NEWER)
@pytest.mark.parametrize("after", [Seen(basket(items=6), 6), Removed(6)])
async def test_what_is_newer_replaces(
    guarded: GuardedViews[Basket], there: Seen[Basket] | Removed, after: Seen[Basket] | Removed
) -> None:
    """A view or a removal gives way to one that has seen more."""
    await guarded.write({"a": there})

    await guarded.write({"a": after})

    assert await guarded.load(["a"]) == {"a": after}


async def test_the_order_of_writes_does_not_matter(guarded: GuardedViews[Basket]) -> None:
    """However writes come, and however many at once, what has seen most stays."""
    writes = [seen(1, a=basket(items=1)), {"a": Removed(2)}, seen(3, a=basket(items=3))]
    for order in permutations(writes):
        await guarded.clear()
        await asyncio.gather(*(guarded.write(changed) for changed in [*order, *order]))

        assert await guarded.load(["a"]) == seen(3, a=basket(items=3))


async def test_a_cancelled_write_leaves_whole_views(guarded: GuardedViews[Basket]) -> None:
    """At whatever point a write is cancelled, each view is the one before or the one after."""
    keys = [f"k{number}" for number in range(5)]
    before, after = (seen(n, **dict.fromkeys(keys, basket(items=n))) for n in (1, 2))
    for turns in range(8):
        await guarded.clear()
        await guarded.write(before)
        task = asyncio.create_task(guarded.write(after))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

        there = await guarded.load(keys)
        assert all(there[key] in (before[key], after[key]) for key in keys)


async def test_clearing_forgets_removals_too(guarded: GuardedViews[Basket]) -> None:
    """After clearing nothing guards any key."""
    await guarded.write({**seen(5, a=basket()), "b": Removed(5)})

    await guarded.clear()

    assert await guarded.load(["a", "b"]) == {}
    await guarded.write(seen(1, a=basket(), b=basket()))
    assert await guarded.load(["a", "b"]) == seen(1, a=basket(), b=basket())
