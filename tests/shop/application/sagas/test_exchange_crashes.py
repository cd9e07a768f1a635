"""Both sagas at once: killed anywhere, under any faults, whatever people do meanwhile."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.sagas.state import SagaStatus
from domain.decider import DomainError
from domain.exchanges import CloseExchange, ReceiveGoods, SendReplacement
from domain.orders import CancelOrder, ReturnedLine, ReturnLines
from infrastructure.providers.simulated import Fault
from tests.application.sagas.world import Killed
from tests.histories import law
from tests.shop.application.sagas.exchange_world import EXCHANGE, ExchangeWorld, delivered
from tests.shop.application.sagas.test_crashes import Faults

OTHER_ORDER = "o-2"


async def killed(_: ExchangeWorld) -> None:
    raise Killed


async def goods_come(world: ExchangeWorld) -> None:
    with suppress(DomainError):
        await world.tell(EXCHANGE, ReceiveGoods(), "the warehouse")


async def replacement_leaves(world: ExchangeWorld) -> None:
    with suppress(DomainError):
        await world.tell(EXCHANGE, SendReplacement(), "the warehouse")


async def exchange_is_cancelled(world: ExchangeWorld) -> None:
    with suppress(DomainError):
        await world.tell(EXCHANGE, CloseExchange(reason="changed my mind"))


async def other_order_is_cancelled(world: ExchangeWorld) -> None:
    with suppress(DomainError):
        await world.tell(OTHER_ORDER, CancelOrder(reason="changed my mind"))


async def goods_are_returned(world: ExchangeWorld) -> None:
    with suppress(DomainError):
        lines = (ReturnedLine(line=1, quantity=1),)
        await world.tell("o-1", ReturnLines(return_id="r-1", lines=lines))


async def time_passes(world: ExchangeWorld) -> None:
    """So much that every wait is over."""
    await world.wait_out()


async def run(
    faults: Sequence[Fault], price: str, kill_at: int | None, *, seed: int = 0
) -> ExchangeWorld:
    """A delivered order is exchanged while another one is fulfilled."""
    world = await delivered(*faults, seed=seed)
    world.moments.passed = 0
    world.moments.happens = {} if kill_at is None else {kill_at: partial(killed, world)}
    await world.place(OTHER_ORDER, b=1)
    await world.exchange(price)
    await world.settle()
    return world


STORIES: Sequence[tuple[str, Sequence[Fault], str]] = (
    ("a dearer one", (), "4 GBP"),
    ("a cheaper one", (), "1 GBP"),
    ("declined", (Fault(kind="decline", call="authorise"),), "4 GBP"),
    ("a refund is silent", (Fault(kind="drop", call="refund", times=2),), "1 GBP"),
)


@pytest.mark.parametrize(("faults", "price"), [s[1:] for s in STORIES], ids=[s[0] for s in STORIES])
async def test_an_exchange_killed_at_every_moment(faults: Sequence[Fault], price: str) -> None:
    """Killed before or after any call to a store or a provider, all ends as in one clean run."""
    clean = await run(faults, price, None)
    await clean.audited()
    for moment in range(1, clean.moments.passed + 1):
        world = await run(faults, price, moment)
        await world.audited()
        assert world.saga_of().status == clean.saga_of().status, f"killed at {moment}"
        assert world.saga(OTHER_ORDER).status == clean.saga(OTHER_ORDER).status


Happening = Callable[[ExchangeWorld], Awaitable[None]]
HAPPENINGS: Sequence[Happening] = (
    killed,
    goods_come,
    replacement_leaves,
    exchange_is_cancelled,
    other_order_is_cancelled,
    goods_are_returned,
    time_passes,
)
Happenings = st.dictionaries(st.integers(1, 160), st.sampled_from(HAPPENINGS), max_size=5)


@law(120)
@given(
    faults=Faults,
    happenings=Happenings,
    price=st.sampled_from(["4 GBP", "2.5 GBP", "1 GBP"]),
    seed=st.integers(0, 5),
    people=st.booleans(),
)
async def test_nothing_is_left_over_of_an_exchange(
    faults: Sequence[Fault],
    happenings: Mapping[int, Happening],
    price: str,
    seed: int,
    people: bool,
) -> None:
    """Under any troubles every exchange ends, every unit, penny and parcel adds up.

    One thing needs a person: a replacement that leaves in the very moment in which its time is
    over, before the exchange has been closed.
    """
    world = await delivered(*faults, seed=seed)
    world.goods_come = world.it_is_sent = people
    world.moments.passed = 0
    world.moments.happens = {at: partial(happen, world) for at, happen in happenings.items()}
    await world.place(OTHER_ORDER, b=1)
    await world.exchange(price)
    await world.settle()

    if world.saga_of().status is SagaStatus.FAILED:
        assert "AlreadySent" in world.saga_of().reason
        return
    await world.audited()
    assert world.saga_of().status in (SagaStatus.COMPLETED, SagaStatus.COMPENSATED)
