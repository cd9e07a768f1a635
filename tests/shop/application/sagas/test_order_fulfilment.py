"""Order fulfilment, one trouble at a time: each way in which each step can go wrong."""

import pytest

from application.sagas.state import SagaStatus
from domain.orders import CancelOrder, PlaceOrder
from infrastructure.providers.simulated import Fault
from tests.shop.application.sagas.world import World

ALL_DONE = [
    "Completed place order",
    "Completed reserve stock",
    "Completed authorise payment",
    "Completed book shipment",
    "Completed capture payment",
    "Completed confirm order",
    "SagaCompleted",
]
FOR_EVER = 3600.0


async def fulfilled(*faults: Fault, price: str = "2.5 GBP") -> World:
    """A shop in which one order of two SKUs has come to its end."""
    world = World(*faults)
    await world.receive(a=10, b=10)
    await world.place(price=price, a=2, b=3)
    await world.settle()
    world.adds_up()
    return world


async def test_every_step_is_done_in_order() -> None:
    """Stock, money, parcel, money taken, confirmed: nothing is in the way, so nothing is undone."""
    world = await fulfilled()

    assert world.history() == ALL_DONE


async def test_what_costs_nothing_is_not_paid() -> None:
    """An order worth nothing is fulfilled without a payment."""
    world = await fulfilled(price="0 GBP")

    assert world.history() == ALL_DONE
    assert not world.recorded("payment-o-1")


async def test_partly_reserved_stock_is_released() -> None:
    """Where one SKU of several is out of stock, the others are given back."""
    world = World()
    await world.receive(a=10, b=1)
    await world.place(a=2, b=3)
    await world.settle()
    world.adds_up()

    assert world.history() == [
        "Completed place order",
        "Refused reserve stock",
        "Undone reserve stock",
        "Undone place order",
        "SagaCompensated",
    ]
    assert [of.type for of in world.recorded("stock-a")] == [
        "StockReceived",
        "StockReserved",
        "StockReleased",
    ]


async def test_declined_payment_undoes_what_was_done_last_first() -> None:
    """A payment that is declined leaves neither a payment nor a reservation nor an order."""
    world = await fulfilled(Fault(kind="decline", call="authorise"))

    assert world.history()[2:] == [
        "Refused authorise payment",
        "Undone reserve stock",
        "Undone place order",
        "SagaCompensated",
    ]
    assert world.saga().reason == "authorise payment: declined by the bank"


async def test_declined_parcel_lets_go_of_the_money() -> None:
    """A parcel that nobody fetches is compensated by voiding what is held, not by a refund."""
    world = await fulfilled(Fault(kind="decline", call="book"))

    assert world.history()[3:] == [
        "Refused book shipment",
        "Undone authorise payment",
        "Undone reserve stock",
        "Undone place order",
        "SagaCompensated",
    ]
    assert world.folded("payment-o-1").status == "voided"


@pytest.mark.parametrize("call", ["authorise", "book", "capture"])
@pytest.mark.parametrize("kind", ["unavailable", "drop", "slow", "late", "twice"])
async def test_trouble_that_passes_is_sat_out(call: str, kind: str) -> None:
    """A provider that is away, silent, slow, or answers twice for a while delays and no more."""
    fault = {"kind": kind, "call": call, "times": 3, "seconds": 60}
    world = await fulfilled(Fault.model_validate(fault))

    assert [line for line in world.history() if not line.startswith("Delayed")] == ALL_DONE


@pytest.mark.parametrize("call", ["authorise", "book", "capture"])
@pytest.mark.parametrize("blind", [False, True], ids=["can be asked", "cannot be asked"])
@pytest.mark.parametrize("kind", ["unavailable", "drop", "slow", "late"])
async def test_trouble_that_lasts_is_undone(call: str, blind: bool, kind: str) -> None:
    """After five minutes a step is given up; what may have happened is undone, and nothing else.

    A provider that has acted and can still be asked has not failed: the step is done.
    """
    fault = {"kind": kind, "call": call, "seconds": FOR_EVER}
    blindness = [Fault(kind="unavailable", call="find", times=40)] if blind else []
    world = World(Fault.model_validate(fault), *blindness)
    await world.receive(a=10, b=10)
    await world.place(a=2, b=3)
    await world.settle()
    world.adds_up()

    if world.saga().status is SagaStatus.COMPENSATED:
        undone = [line for line in world.history() if line.startswith("Undone")]
        assert undone[0] == f"Undone {_STEP[call]}"
    else:
        assert kind in ("drop", "late", "slow")
        assert not blind


_STEP = {"authorise": "authorise payment", "book": "book shipment", "capture": "capture payment"}


@pytest.mark.parametrize("call", ["void", "cancel", "refund"])
@pytest.mark.parametrize("kind", ["unavailable", "drop", "slow", "late", "twice"])
async def test_undoing_is_tried_until_it_succeeds(call: str, kind: str) -> None:
    """However long a provider is in trouble, a compensation outlasts it."""
    trouble = {"kind": kind, "call": call, "times": 30, "seconds": 60}
    world = World(Fault.model_validate(trouble))
    await world.receive(a=10)
    await world.place(a=2)
    await world.settle()
    await world.tell("o-1", CancelOrder(reason="too slow"))
    await world.settle()
    world.adds_up()

    assert world.saga().status is SagaStatus.COMPENSATED


async def test_cancelled_after_it_was_paid() -> None:
    """A customer who cancels a confirmed order gets the money back, and no parcel."""
    world = await fulfilled()
    await world.tell("o-1", CancelOrder(reason="found it elsewhere"))
    await world.settle()
    world.adds_up()

    assert world.history()[len(ALL_DONE) :] == [
        "CompensationOrdered",
        "Undone confirm order",
        "Undone capture payment",
        "Undone book shipment",
        "Undone authorise payment",
        "Undone reserve stock",
        "Undone place order",
        "SagaCompensated",
    ]
    assert sum(of.type == "PaymentRefunded" for of in world.recorded("payment-o-1")) == 1


async def test_history_starts_no_saga() -> None:
    """An order from history was fulfilled long ago."""
    world = World()
    line = {"sku": "a", "quantity": 1, "unit_price": "1 GBP"}
    await world.tell("o-1", _placed(from_history=True, lines=[line]))
    await world.settle()

    assert not world.recorded("order_fulfilment-o-1")


def _placed(**fields: object) -> PlaceOrder:
    return PlaceOrder.model_validate(fields)
