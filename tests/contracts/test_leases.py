"""The contract of ``Leases``, on every adapter."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from application.ports import Leases
from infrastructure import dynamodb, memory, postgres
from tests.contracts.dynamodb import DYNAMODB, dynamodb_of
from tests.waiting import until_true

LONG, SHORT = 600.0, 0.02  # seconds


@pytest.fixture(params=["memory", "postgres (real)", DYNAMODB])
async def leases(request: pytest.FixtureRequest) -> AsyncIterator[Leases]:
    if request.param == "memory":
        yield memory.Leases()
        return
    if request.param == DYNAMODB:
        async with dynamodb_of(request) as database:
            yield dynamodb.Leases(database, dynamodb.StoreClock.of(database))
        return
    async with postgres.pool(request.getfixturevalue("postgres")) as pool:
        await postgres.migrate(pool)
        yield postgres.Leases(pool)


async def test_one_holds_it(leases: Leases) -> None:
    """While one process holds a lease, no other gets it. The holder can renew it."""
    assert await leases.holder("forwarder") is None

    assert await leases.claim("forwarder", "ann", seconds=LONG)
    assert await leases.claim("forwarder", "ann", seconds=LONG)
    assert not await leases.claim("forwarder", "bob", seconds=LONG)

    assert await leases.holder("forwarder") == "ann"


async def test_of_many_that_claim_at_once_one_gets_it(leases: Leases) -> None:
    """Exactly one gets it, whether the lease is new or has just expired."""
    for _ in range(2):
        claims = (leases.claim("forwarder", f"by {n}", seconds=LONG) for n in range(6))
        got = await asyncio.gather(*claims)

        assert sum(got) == 1
        assert await leases.holder("forwarder") == f"by {got.index(True)}"
        await leases.release("forwarder", f"by {got.index(True)}")


async def test_it_ends_by_itself(leases: Leases) -> None:
    """A holder that does not renew it in time loses it to the next process that claims it."""
    assert await leases.claim("forwarder", "ann", seconds=SHORT)

    await until_true(lambda: leases.claim("forwarder", "bob", seconds=LONG))

    assert await leases.holder("forwarder") == "bob"
    assert not await leases.claim("forwarder", "ann", seconds=LONG)


async def test_a_renewal_lasts_from_now_on(leases: Leases) -> None:
    """The seconds of the last claim count, whether more or fewer than before."""
    assert await leases.claim("forwarder", "ann", seconds=SHORT)
    assert await leases.claim("forwarder", "ann", seconds=LONG)
    assert await leases.claim("forwarder", "ann", seconds=SHORT)

    async def ended() -> bool:
        return await leases.holder("forwarder") is None

    await until_true(ended)
    assert await leases.claim("forwarder", "bob", seconds=LONG)


async def test_its_holder_can_release_it(leases: Leases) -> None:
    """A released lease is free at once. A release by another process changes nothing."""
    await leases.release("forwarder", "ann")
    assert await leases.claim("forwarder", "ann", seconds=LONG)

    await leases.release("forwarder", "bob")
    assert await leases.holder("forwarder") == "ann"
    await leases.release("forwarder", "ann")

    assert await leases.holder("forwarder") is None
    assert await leases.claim("forwarder", "bob", seconds=LONG)


async def test_leases_are_independent(leases: Leases) -> None:
    """Each name has its own lease."""
    assert await leases.claim("forwarder", "ann", seconds=LONG)
    assert await leases.claim("Forwarder", "bob", seconds=LONG)
    await leases.release("forwarder", "ann")

    assert await leases.holder("Forwarder") == "bob"
