"""A saga goes on as it began: under the same ids, and where an earlier release gave it others."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.command_dispatch import CommandOutcome
from application.messages import Context
from application.sagas.actions import Action
from application.sagas.outcomes import Refused, StepOutcome, Succeeded
from application.sagas.performing import Performer
from application.sagas.stream import SagaStream
from application.shop.sagas.order_fulfilment import Fulfilment, release, reserve
from application.shop.service import SHOP
from domain.decider import Command
from domain.orders import CancelOrder
from domain.values import Money
from infrastructure import memory
from infrastructure.providers.simulated import Fault
from tests.application.sagas.world import Killed
from tests.application.snapped import NOON
from tests.histories import LAW
from tests.shop.application.sagas.world import World

SKUS = ("a", "b", "an own one with a long name")


async def ordered(*faults: Fault) -> World:
    """An order of several SKUs, with equal quantities, and one that finds too little."""
    world = World(*faults)
    await world.receive(**dict.fromkeys(SKUS, 5))
    units: Any = dict.fromkeys(SKUS, 3)
    await world.place("o-1", **units)
    await world.place("o-2", **units)
    return world


class Noted:
    """Notes what is commanded, and under which id."""

    def __init__(self) -> None:
        self.commands: list[tuple[UUID, str, Command]] = []

    async def __call__(
        self, id: str, command: Command, context: Context, **_: Any
    ) -> CommandOutcome:
        self.commands.append((context.command_id, id, command))
        return CommandOutcome(id, 0, None, ())


@LAW
@given(
    units=st.dictionaries(st.sampled_from(SKUS), st.integers(1, 2), min_size=1),
    chance=st.randoms(use_true_random=False),
)
async def test_no_id_rests_on_a_place(units: Mapping[str, int], chance: random.Random) -> None:
    """In whichever order a step asks for its actions: the same commands, under the same ids."""
    actions = reserve(facts(units))
    shuffled = list(actions)
    chance.shuffle(shuffled)

    noted = await commanded(actions)
    assert sorted(noted, key=str) == sorted(await commanded(shuffled), key=str)
    assert len({id for id, _, _ in noted}) == len(units)


@LAW
@given(
    units=st.dictionaries(st.sampled_from(SKUS), st.integers(1, 2), min_size=1),
    chance=st.randoms(use_true_random=False),
)
def test_a_step_asks_in_one_order(units: Mapping[str, int], chance: random.Random) -> None:
    """However a store gives the facts back: of several refusals the same one is told."""
    shuffled = list(units.items())
    chance.shuffle(shuffled)

    assert reserve(facts(dict(shuffled))) == reserve(facts(units))
    assert release(facts(dict(shuffled)), "") == release(facts(units), "")


def facts(units: Mapping[str, int]) -> Fulfilment:
    return Fulfilment(order_id="o-1", units=units, worth=Money.parse("5 GBP"), country=None)


async def commanded(actions: Sequence[Action]) -> Sequence[tuple[UUID, str, Command]]:
    store = memory.EventStore(SHOP.catalogue)
    noted, stream = Noted(), SagaStream(store, "order_fulfilment", "o-1")
    performer = Performer(noted)  # type: ignore[arg-type]  # nothing else is asked
    await performer(actions, stream.context("Do reserve stock", NOON))
    return noted.commands


@dataclass(frozen=True)
class Numbered:
    """Performs as the first release did: its ids rest on the place of an action among the others,
    and that on the order in which the store gave the facts back."""

    performer: Performer
    chance: random.Random

    async def __call__(self, actions: Sequence[Action], context: Context) -> StepOutcome:
        places = list(actions)
        self.chance.shuffle(places)
        for number, action in enumerate(places):
            outcome = await self._one(number, action, context)
            if isinstance(outcome, Refused):
                return replace(outcome, partly=outcome.partly or len(actions) > 1)
        return Succeeded()

    async def _one(self, number: int, action: Action, context: Context) -> StepOutcome:
        numbered = uuid5(context.command_id, str(number))

        async def dispatch(id: str, command: Command, own: Context, **rest: Any) -> CommandOutcome:
            own = replace(own, command_id=uuid5(numbered, type(command).__name__))
            return await self.performer.dispatch(id, command, own, **rest)

        as_then: Any = replace(self.performer, dispatch=dispatch)  # type: ignore[arg-type]  # as it
        outcome: StepOutcome = await as_then([action], context)
        return outcome


TROUBLES: Sequence[tuple[Fault, ...]] = ((), (Fault(kind="decline", call="book"),))


@pytest.mark.parametrize("faults", TROUBLES, ids=["all goes well", "a parcel is declined"])
@pytest.mark.parametrize("cancelled", [False, True], ids=["", "cancelled"])
async def test_a_saga_of_the_first_release_goes_on(
    faults: tuple[Fault, ...], cancelled: bool
) -> None:
    """Upgraded at any moment, it ends as if it had not been: nothing is done twice, or undone."""
    clean = await upgraded(faults, cancelled, None)
    for moment in range(1, clean.moments.passed + 1):
        world = await upgraded(faults, cancelled, moment)
        world.adds_up()
        for order in ("o-1", "o-2"):
            assert world.saga(order).status == clean.saga(order).status, f"upgraded at {moment}"
        for sku in SKUS:
            assert types(world, sku) == types(clean, sku), f"upgraded at {moment}"


async def upgraded(faults: tuple[Fault, ...], cancelled: bool, moment: int | None) -> World:
    world = await ordered(*faults)

    async def next_release() -> None:
        world.release = lambda performer: performer
        raise Killed

    world.release = lambda performer: Numbered(performer, random.Random(moment))
    world.start()
    world.moments.happens = {} if moment is None else {moment: next_release}
    await world.settle()
    if cancelled and world.folded("order-o-1").status != "cancelled":
        await world.tell("o-1", CancelOrder(reason="changed my mind"))
        await world.settle()
    return world


def types(world: World, sku: str) -> Sequence[str]:
    return sorted(of.type for of in world.recorded(f"stock-{sku}"))
