"""Wherever the process is killed, and whatever the provider does: it ends as if nothing was."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decider import DomainError
from infrastructure.providers.simulated import Fault
from tests.application.sagas.world import Killed
from tests.histories import law
from tests.sample.transfers import CancelTransfer
from tests.sample.world import Bank

TRANSFERS = ("t-1", "t-2", "t-3")


async def killed(_: Bank) -> None:
    raise Killed


async def cancelled(world: Bank) -> None:
    try:
        await world.tell("t-1", CancelTransfer(reason="changed my mind"))
    except DomainError:
        return


async def told(faults: Sequence[Fault], kill_at: int | None = None) -> Bank:
    """Three transfers that meet: the last one may find too little."""
    world = Bank(*faults)
    await world.deposit(a=5)
    for id in TRANSFERS:
        await world.request(id, 2)
    world.moments.happens = {} if kill_at is None else {kill_at: partial(killed, world)}
    await world.settle()
    return world


@pytest.mark.parametrize(
    "faults",
    [(), (Fault(kind="decline", call="redeem", times=1),), (Fault(kind="drop", times=2),)],
    ids=["all goes well", "a fee is declined", "the issuer is silent"],
)
async def test_killed_at_every_moment(faults: Sequence[Fault]) -> None:
    """Killed before or after any call to a store or a provider, all ends as in one clean run."""
    clean = await told(faults)
    await clean.adds_up()
    for moment in range(1, clean.moments.passed + 1):
        world = await told(faults, moment)
        await world.adds_up()
        for id in TRANSFERS:
            assert world.saga(id).status == clean.saga(id).status, f"killed at {moment}"


Faults = st.lists(
    st.builds(
        Fault,
        kind=st.sampled_from(["slow", "unavailable", "drop", "late", "twice", "decline"]),
        call=st.sampled_from(["redeem", "restore", "find", None]),
        times=st.integers(1, 25),
        rate=st.sampled_from([0.3, 1.0]),
        seconds=st.sampled_from([1.0, 60.0, 3600.0]),
    ),
    max_size=4,
)
Happening = Callable[[Bank], Awaitable[None]]
HAPPENINGS: Sequence[Happening] = (killed, cancelled)
Happenings = st.dictionaries(st.integers(1, 80), st.sampled_from(HAPPENINGS), max_size=4)


@law(150)
@given(Faults, Happenings, st.integers(0, 5))
async def test_nothing_is_left_over_whatever_happens(
    faults: Sequence[Fault], happenings: Mapping[int, Happening], seed: int
) -> None:
    """Under any troubles, crashes and cancellations every saga ends, and everything adds up."""
    world = Bank(*faults, seed=seed)
    await world.deposit(a=5)
    for id in TRANSFERS:
        await world.request(id, 2)
    world.moments.happens = {at: partial(happen, world) for at, happen in happenings.items()}
    await world.settle()
    await world.adds_up()
