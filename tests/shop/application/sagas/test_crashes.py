"""Wherever the process is killed, and whatever the providers do: it ends as if nothing was."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.sagas.state import SagaStatus
from domain.decider import DomainError
from domain.orders import CancelOrder
from infrastructure.providers.simulated import Fault
from tests.application.sagas.world import Killed
from tests.histories import law
from tests.shop.application.sagas.world import World


async def killed(_: World) -> None:
    raise Killed


async def shop(*faults: Fault, seed: int = 0) -> World:
    """Three orders that meet: the last one may find too little."""
    world = World(*faults, seed=seed)
    await world.receive(a=5, b=5)
    await world.place("o-1", a=2, b=2)
    await world.place("o-2", a=2, b=1)
    await world.place("o-3", b=3)
    return world


async def cancelled_by_the_customer(world: World) -> None:
    try:
        await world.tell("o-1", CancelOrder(reason="changed my mind"))
    except DomainError:
        return


STORIES: Sequence[tuple[str, Sequence[Fault], bool]] = (
    ("all goes well", (), False),
    ("a parcel is declined", (Fault(kind="decline", call="book", order_id="o-2"),), False),
    ("a capture is silent", (Fault(kind="drop", call="capture", times=2),), False),
    ("cancelled at the end", (), True),
)


async def told(faults: Sequence[Fault], cancelled: bool, kill_at: int | None) -> World:
    world = await shop(*faults)
    world.moments.happens = {} if kill_at is None else {kill_at: partial(killed, world)}
    await world.settle()
    if cancelled:
        await cancelled_by_the_customer(world)
        await world.settle()
    return world


@pytest.mark.parametrize(
    ("faults", "cancelled"), [s[1:] for s in STORIES], ids=[s[0] for s in STORIES]
)
async def test_killed_at_every_moment(faults: Sequence[Fault], cancelled: bool) -> None:
    """Killed before or after any call to a store or a provider, all ends as in one clean run."""
    clean = await told(faults, cancelled, None)
    clean.adds_up()
    for moment in range(1, clean.moments.passed + 1):
        world = await told(faults, cancelled, moment)
        world.adds_up()
        for order in ("o-1", "o-2", "o-3"):
            assert world.saga(order).status == clean.saga(order).status, f"killed at {moment}"


KINDS = st.sampled_from(["slow", "unavailable", "drop", "late", "twice", "decline"])
CALLS = st.sampled_from(["authorise", "capture", "void", "refund", "book", "cancel", "find", None])
Faults = st.lists(
    st.builds(
        Fault,
        kind=KINDS,
        call=CALLS,
        times=st.integers(1, 25),
        rate=st.sampled_from([0.3, 1.0]),
        seconds=st.sampled_from([1.0, 60.0, 3600.0]),
    ),
    max_size=4,
)
Happening = Callable[[World], Awaitable[None]]
HAPPENINGS: Sequence[Happening] = (killed, cancelled_by_the_customer)
Happenings = st.dictionaries(st.integers(1, 120), st.sampled_from(HAPPENINGS), max_size=4)


@law(150)
@given(Faults, Happenings, st.integers(0, 5))
async def test_nothing_is_left_over_whatever_happens(
    faults: Sequence[Fault], happenings: Mapping[int, Happening], seed: int
) -> None:
    """Under any troubles, crashes and cancellations every saga ends, and everything adds up."""
    world = await shop(*faults, seed=seed)
    world.moments.happens = {at: partial(happen, world) for at, happen in happenings.items()}
    await world.settle()
    world.adds_up()
    for order in ("o-1", "o-2", "o-3"):
        assert world.saga(order).status in (SagaStatus.COMPLETED, SagaStatus.COMPENSATED)
