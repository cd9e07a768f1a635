"""A saga that is read back from a store goes on as it began, whichever store that is."""

import random
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from application.messages import Context
from application.ports import EventStore
from application.sagas.performing import Performer
from application.sagas.progress import Do, Undo, settle
from application.sagas.state import evolve
from application.sagas.stream import SagaStream
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.sagas.outside_calls import outside_calls
from infrastructure.shop import memory as shop_memory
from tests.application.snapped import NOON
from tests.contracts.stores import Stores
from tests.shop.application.sagas.test_resumed import Noted

Commanded = Mapping[str, Sequence[tuple[UUID, str, Any]]]
LONG = [f"an own one with a long name {number}" for number in range(5)]
SHORT = ["a", "B", "z", "10", "2", "é"]


async def test_a_saga_that_is_read_back_commands_the_same(stores: Stores) -> None:
    """Resumed before any step, by a process that knows nothing: the same commands and ids."""
    chance = random.Random(1)
    for _ in range(15):
        units = dict.fromkeys(chance.sample(LONG + SHORT, k=chance.randint(2, 8)), 1)
        id = uuid4().hex
        began = await started(stores.events, id, units)

        resumed = await SagaStream(stores.events, order_fulfilment.name, id).read()

        assert await commanded(resumed) == await commanded(began)


async def started(store: EventStore, id: str, units: Mapping[str, int]) -> SagaStream:
    """As the process sees it that starts it."""
    stream = SagaStream(store, order_fulfilment.name, id)
    facts = {"order_id": id, "units": units, "worth": "5.00 GBP", "country": "France"}
    start = order_fulfilment.start(order_fulfilment.facts.model_validate(facts))
    await stream.append([start, *settle(order_fulfilment, evolve(stream.state, start), NOON)], NOON)
    return stream


async def commanded(stream: SagaStream) -> Commanded:
    """What each step, and its compensation, commands."""
    noted: dict[str, Sequence[tuple[UUID, str, Any]]] = {}
    for step in order_fulfilment.steps:
        facts = order_fulfilment.known(stream.state)
        for action in (Do(step, step.act(facts)), Undo(step, step.undo(facts, "a reason"))):
            about = f"{type(action).__name__} {step.name}"
            noted[about] = await performed(action.actions, stream.context(about, NOON))
    return noted


async def performed(actions: Sequence[Any], context: Context) -> Sequence[tuple[UUID, str, Any]]:
    noted, calls = Noted(), outside_calls(shop_memory.outside())
    await Performer(noted, calls)(actions, context)  # type: ignore[arg-type]  # it notes
    return noted.commands
