"""The contract of ``Checkpoints``, on every adapter."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from application.ports import CheckpointMoved, Checkpoints
from infrastructure import dynamodb, memory, postgres
from tests.contracts.dynamodb import DYNAMODB, dynamodb_of


@pytest.fixture(params=["memory", "postgres (real)", DYNAMODB])
async def checkpoints(request: pytest.FixtureRequest) -> AsyncIterator[Checkpoints]:
    if request.param == "memory":
        yield memory.Checkpoints()
        return
    if request.param == DYNAMODB:
        async with dynamodb_of(request) as database:
            yield dynamodb.Checkpoints(database)
        return
    async with postgres.pool(request.getfixturevalue("postgres")) as pool:
        await postgres.migrate(pool)
        yield postgres.Checkpoints(pool)


async def test_a_new_follower_has_none(checkpoints: Checkpoints) -> None:
    """There is no checkpoint of a name before the first advance. The first position may be 0."""
    assert await checkpoints.load("kafka") is None

    await checkpoints.advance("kafka", 0, expected=None)

    assert await checkpoints.load("kafka") == 0


async def test_it_moves_from_where_it_is(checkpoints: Checkpoints) -> None:
    """Each advance starts at the position of the one before. Positions are as large as those of any
    store."""
    await checkpoints.advance("kafka", 7, expected=None)
    await checkpoints.advance("kafka", 2**60, expected=7, events=3)

    assert await checkpoints.load("kafka") == 2**60


@pytest.mark.parametrize("expected", [None, 1, 8])
async def test_it_does_not_move_from_elsewhere(
    checkpoints: Checkpoints, expected: int | None
) -> None:
    """An advance that expects another position raises ``CheckpointMoved`` and changes nothing."""
    await checkpoints.advance("kafka", 7, expected=None)

    with pytest.raises(CheckpointMoved, match="kafka is"):
        await checkpoints.advance("kafka", 9, expected=expected)

    assert await checkpoints.load("kafka") == 7


async def test_what_is_not_there_cannot_be_expected(checkpoints: Checkpoints) -> None:
    """An advance of a checkpoint that was forgotten meanwhile raises ``CheckpointMoved``, too."""
    with pytest.raises(CheckpointMoved):
        await checkpoints.advance("kafka", 9, expected=7)

    assert await checkpoints.load("kafka") is None


@pytest.mark.parametrize("position", [6, 7])
async def test_it_only_moves_on(checkpoints: Checkpoints, position: int) -> None:
    """Advancing to the same or an earlier position raises ``ValueError``."""
    await checkpoints.advance("kafka", 7, expected=None)

    with pytest.raises(ValueError, match=f"only moves on: {position} is not beyond 7"):
        await checkpoints.advance("kafka", position, expected=7)


async def test_of_many_that_advance_at_once_one_does(checkpoints: Checkpoints) -> None:
    """Of several followers of one name exactly one advances, also with the first advance."""
    for expected in (None, 10):
        steps = range(10, 15) if expected is None else range(11, 16)
        advances = (checkpoints.advance("kafka", step, expected=expected) for step in steps)

        outcomes = Counter(map(type, await asyncio.gather(*advances, return_exceptions=True)))

        assert outcomes == {type(None): 1, CheckpointMoved: 4}
        await checkpoints.forget("kafka")
        await checkpoints.advance("kafka", 10, expected=None)


async def test_names_and_shards_are_independent(checkpoints: Checkpoints) -> None:
    """Each follower, and each shard of one, has its own checkpoint."""
    await checkpoints.advance("kafka", 5, expected=None)
    await checkpoints.advance("kafka", 6, expected=None, shard=1)
    await checkpoints.advance("Kafka", 7, expected=None)

    found = [await checkpoints.load("kafka", shard) for shard in range(3)]
    assert (found, await checkpoints.load("Kafka")) == ([5, 6, None], 7)


async def test_a_forgotten_follower_is_new(checkpoints: Checkpoints) -> None:
    """Forgetting removes all shards of that name and no others. Repeating it changes nothing."""
    for name in ("kafka", "search"):
        for shard in (0, 1):
            await checkpoints.advance(name, 5, expected=None, shard=shard)

    await checkpoints.forget("kafka")
    await checkpoints.forget("kafka")

    assert [await checkpoints.load("kafka", shard) for shard in (0, 1)] == [None, None]
    assert [await checkpoints.load("search", shard) for shard in (0, 1)] == [5, 5]
    await checkpoints.advance("kafka", 3, expected=None)
