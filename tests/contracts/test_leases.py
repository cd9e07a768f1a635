"""The contract of ``Leases``, on every adapter."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from application.ports import Leases
from infrastructure import (
    dynamodb,  # only: dynamodb_views
    memory,
    postgres,  # only: postgres
)
from tests.contracts.dynamodb import DYNAMODB, dynamodb_of  # only: dynamodb_views
from tests.waiting import until_true

LONG, SHORT = 600.0, 0.02  # seconds


@pytest.fixture(
    params=[
        "memory",
        "postgres (real)",  # only: postgres
        DYNAMODB,  # only: dynamodb_views
    ]
)
async def leases(request: pytest.FixtureRequest) -> AsyncIterator[Leases]:
    if request.param == "memory":
        yield memory.Leases()
        return
    # only: dynamodb_views
    if request.param == DYNAMODB:
        async with dynamodb_of(request) as database:
            yield dynamodb.Leases(database, dynamodb.StoreClock.of(database))
    # end: dynamodb_views
    # only: postgres
    if request.param == "postgres (real)":
        async with postgres.pool(request.getfixturevalue("postgres")) as pool:
            await postgres.migrate(pool)
            yield postgres.Leases(pool)
    # end: postgres


async def test_one_holds_it(leases: Leases) -> None:
    """While one process holds a lease, no other gets it. The holder can renew it."""
    assert await leases.holder("work") is None

    assert await leases.claim("work", "ann", seconds=LONG)
    assert await leases.claim("work", "ann", seconds=LONG)
    assert not await leases.claim("work", "bob", seconds=LONG)

    assert await leases.holder("work") == "ann"


async def test_of_many_that_claim_at_once_one_gets_it(leases: Leases) -> None:
    """Exactly one gets it, whether the lease is new or has just expired."""
    for _ in range(2):
        claims = (leases.claim("work", f"by {n}", seconds=LONG) for n in range(6))
        got = await asyncio.gather(*claims)

        assert sum(got) == 1
        assert await leases.holder("work") == f"by {got.index(True)}"
        await leases.release("work", f"by {got.index(True)}")


async def test_it_ends_by_itself(leases: Leases) -> None:
    """A holder that does not renew it in time loses it to the next process that claims it."""
    assert await leases.claim("work", "ann", seconds=SHORT)

    await until_true(lambda: leases.claim("work", "bob", seconds=LONG))

    assert await leases.holder("work") == "bob"
    assert not await leases.claim("work", "ann", seconds=LONG)


async def test_a_renewal_lasts_from_now_on(leases: Leases) -> None:
    """The seconds of the last claim count, whether more or fewer than before."""
    assert await leases.claim("work", "ann", seconds=SHORT)
    assert await leases.claim("work", "ann", seconds=LONG)
    assert await leases.claim("work", "ann", seconds=SHORT)

    async def ended() -> bool:
        return await leases.holder("work") is None

    await until_true(ended)
    assert await leases.claim("work", "bob", seconds=LONG)


async def test_its_holder_can_release_it(leases: Leases) -> None:
    """A released lease is free at once. A release by another process changes nothing."""
    await leases.release("work", "ann")
    assert await leases.claim("work", "ann", seconds=LONG)

    await leases.release("work", "bob")
    assert await leases.holder("work") == "ann"
    await leases.release("work", "ann")

    assert await leases.holder("work") is None
    assert await leases.claim("work", "bob", seconds=LONG)


async def test_leases_are_independent(leases: Leases) -> None:
    """Each name has its own lease."""
    assert await leases.claim("work", "ann", seconds=LONG)
    assert await leases.claim("Work", "bob", seconds=LONG)
    await leases.release("work", "ann")

    assert await leases.holder("Work") == "bob"
