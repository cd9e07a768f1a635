"""The contract of ``Checkpoints``, on every adapter."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from application.ports import CheckpointMoved, Checkpoints
from infrastructure import (
    dynamodb,  # only: dynamodb_views
    memory,
    postgres,  # only: postgres
)
from tests.contracts.dynamodb import DYNAMODB, dynamodb_of  # only: dynamodb_views


@pytest.fixture(
    params=[
        "memory",
        "postgres (real)",  # only: postgres
        DYNAMODB,  # only: dynamodb_views
    ]
)
async def checkpoints(request: pytest.FixtureRequest) -> AsyncIterator[Checkpoints]:
    if request.param == "memory":
        yield memory.Checkpoints()
        return
    # only: dynamodb_views
    if request.param == DYNAMODB:
        async with dynamodb_of(request) as database:
            yield dynamodb.Checkpoints(database)
    # end: dynamodb_views
    # only: postgres
    if request.param == "postgres (real)":
        async with postgres.pool(request.getfixturevalue("postgres")) as pool:
            await postgres.migrate(pool)
            yield postgres.Checkpoints(pool)
    # end: postgres


async def test_a_new_follower_has_none(checkpoints: Checkpoints) -> None:
    """There is no checkpoint of a name before the first advance. The first position may be 0."""
    assert await checkpoints.load("one") is None

    await checkpoints.advance("one", 0, expected=None)

    assert await checkpoints.load("one") == 0


async def test_it_moves_from_where_it_is(checkpoints: Checkpoints) -> None:
    """Each advance starts at the position of the one before. Positions are as large as those of any
    store."""
    await checkpoints.advance("one", 7, expected=None)
    await checkpoints.advance("one", 2**60, expected=7, events=3)

    assert await checkpoints.load("one") == 2**60


@pytest.mark.parametrize("expected", [None, 1, 8])
async def test_it_does_not_move_from_elsewhere(
    checkpoints: Checkpoints, expected: int | None
) -> None:
    """An advance that expects another position raises ``CheckpointMoved`` and changes nothing."""
    await checkpoints.advance("one", 7, expected=None)

    with pytest.raises(CheckpointMoved, match="one is"):
        await checkpoints.advance("one", 9, expected=expected)

    assert await checkpoints.load("one") == 7


async def test_what_is_not_there_cannot_be_expected(checkpoints: Checkpoints) -> None:
    """An advance of a checkpoint that was forgotten meanwhile raises ``CheckpointMoved``, too."""
    with pytest.raises(CheckpointMoved):
        await checkpoints.advance("one", 9, expected=7)

    assert await checkpoints.load("one") is None


@pytest.mark.parametrize("position", [6, 7])
async def test_it_only_moves_on(checkpoints: Checkpoints, position: int) -> None:
    """Advancing to the same or an earlier position raises ``ValueError``."""
    await checkpoints.advance("one", 7, expected=None)

    with pytest.raises(ValueError, match=f"only moves on: {position} is not beyond 7"):
        await checkpoints.advance("one", position, expected=7)


async def test_of_many_that_advance_at_once_one_does(checkpoints: Checkpoints) -> None:
    """Of several followers of one name exactly one advances, also with the first advance."""
    for expected in (None, 10):
        steps = range(10, 15) if expected is None else range(11, 16)
        advances = (checkpoints.advance("one", step, expected=expected) for step in steps)

        outcomes = Counter(map(type, await asyncio.gather(*advances, return_exceptions=True)))

        assert outcomes == {type(None): 1, CheckpointMoved: 4}
        await checkpoints.forget("one")
        await checkpoints.advance("one", 10, expected=None)


async def test_names_and_shards_are_independent(checkpoints: Checkpoints) -> None:
    """Each follower, and each shard of one, has its own checkpoint."""
    await checkpoints.advance("one", 5, expected=None)
    await checkpoints.advance("one", 6, expected=None, shard=1)
    await checkpoints.advance("One", 7, expected=None)

    found = [await checkpoints.load("one", shard) for shard in range(3)]
    assert (found, await checkpoints.load("One")) == ([5, 6, None], 7)


async def test_a_forgotten_follower_is_new(checkpoints: Checkpoints) -> None:
    """Forgetting removes all shards of that name and no others. Repeating it changes nothing."""
    for name in ("one", "search"):
        for shard in (0, 1):
            await checkpoints.advance(name, 5, expected=None, shard=shard)

    await checkpoints.forget("one")
    await checkpoints.forget("one")

    assert [await checkpoints.load("one", shard) for shard in (0, 1)] == [None, None]
    assert [await checkpoints.load("search", shard) for shard in (0, 1)] == [5, 5]
    await checkpoints.advance("one", 3, expected=None)
