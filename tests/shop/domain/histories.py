"""Histories of every category: any at all, and those that commands can bring about.

Ids, counts and amounts are drawn from few, so that commands meet: the same order, the same
receipt, one piece too many.
"""

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel

from application import parking
from application.category import Category
from application.shop.service import SHOP
from domain import orders, payments, shipments, stock
from domain.decider import Command, Decider, DomainError, Event
from domain.values import Money

LAW = settings(deadline=None, max_examples=150)  # no deadline: a busy machine breaks no law

AN_ID = st.sampled_from(["a", "b", "c", "d"])
A_TEXT = st.sampled_from(["x", "y"])
AMOUNTS = st.sampled_from(["0.5 GBP", "1 GBP", "1.001 GBP", "2 GBP", "0 GBP", "1 EUR"])

FIELDS: dict[str, SearchStrategy[Any]] = {
    **dict.fromkeys(("order_id", "customer_id", "shipment_id", "return_id"), AN_ID),
    **dict.fromkeys(("receipt_id", "write_off_id", "adjustment_id", "refund_id"), AN_ID),
    **dict.fromkeys(
        ("sku", "description", "country", "reason", "carrier", "tracking_code"), A_TEXT
    ),
    **dict.fromkeys(("unit_price", "amount"), AMOUNTS.map(Money.parse)),
    "quantity": st.integers(1, 4),
    "line": st.integers(1, 2),
    "difference": st.integers(-4, 4),
    "from_history": st.booleans(),
    "event_id": st.integers(1, 4).map(lambda number: UUID(int=number)),
    "behind": st.just(None),
    **dict.fromkeys(("stream", "type", "error", "by"), A_TEXT),
    **dict.fromkeys(("version", "attempts"), st.integers(0, 3)),
}
"""What may stand in a field of that name: a new field needs a row here."""


def example(command: type[Command], **fields: object) -> Command:
    """A command from plain words, as it comes from outside."""
    return command.model_validate(fields)


LINE = {"sku": "85123A", "quantity": 4, "unit_price": "2.55 GBP"}
PLACE = example(orders.PlaceOrder, lines=[LINE, LINE])
RESERVE = example(stock.ReserveStock, order_id="a", quantity=3)
AUTHORISE = example(payments.AuthorisePayment, order_id="a", amount="3 GBP")
BOOK = example(shipments.BookShipment, order_id="a", carrier="DHL")
HAND_OVER = example(shipments.HandOverShipment, tracking_code="1Z")

PARK = example(
    parking.ParkEvent, event_id=UUID(int=1), stream="x", version=0, type="x", error="x", attempts=1
)
QUEUE = example(parking.QueueEvent, event_id=UUID(int=2), stream="x", version=1, type="x")

EXAMPLES: dict[str, list[list[Command]]] = {
    "order": [
        [
            PLACE,
            orders.ConfirmOrder(),
            example(orders.ShipOrder, shipment_id="a"),
            orders.DeliverOrder(),
            example(orders.ReturnLines, return_id="a", lines=[{"line": 1, "quantity": 1}]),
        ],
        [PLACE, example(orders.CancelOrder, reason="too slow")],
    ],
    "stock": [
        [
            example(stock.ReceiveStock, receipt_id="a", quantity=5),
            RESERVE,
            example(stock.ReleaseStock, order_id="a"),
            RESERVE,
            example(stock.DispatchStock, order_id="a"),
            example(stock.WriteOffStock, write_off_id="a", quantity=1, reason="wet"),
            example(stock.AdjustStock, adjustment_id="a", difference=-1, reason="count"),
        ]
    ],
    "payment": [
        [
            AUTHORISE,
            example(payments.CapturePayment, amount="2.5 GBP"),
            example(payments.RefundPayment, refund_id="a", amount="1 GBP"),
        ],
        [AUTHORISE, payments.VoidPayment()],
        [example(payments.DeclinePayment, order_id="a", amount="3 GBP", reason="expired")],
    ],
    "shipment": [
        [BOOK, HAND_OVER, shipments.DeliverShipment()],
        [BOOK, HAND_OVER, example(shipments.FailShipment, reason="lost")],
        [BOOK, shipments.CancelShipment()],
    ],
    "parking": [
        [
            PARK,
            QUEUE,
            example(parking.RequestReplay, event_id=UUID(int=1), by="x"),
            example(parking.FinishReplay, event_id=UUID(int=1), stream="x"),
        ],
        [PARK, QUEUE, example(parking.DiscardEvent, event_id=UUID(int=1), by="x", reason="y")],
    ],
}
"""Lives in which every wish is fulfilled."""


def any_of(*models: type[BaseModel]) -> SearchStrategy[Any]:
    """Any instance of any of these."""
    return st.one_of([_any(model) for model in models])


def _any(model: type[BaseModel]) -> SearchStrategy[Any]:
    fields = model.model_fields.items()
    return st.builds(model, **{name: _any_field(name, field.annotation) for name, field in fields})


def _any_field(name: str, annotation: Any) -> SearchStrategy[Any]:
    if get_origin(annotation) is tuple:
        return st.lists(any_of(get_args(annotation)[0]), min_size=1, max_size=3).map(tuple)
    return FIELDS[name]


def histories(category: Category) -> SearchStrategy[list[Event]]:
    """Any sequence of a category's events, most of them impossible."""
    return st.lists(any_of(*category.events), max_size=12)


def wishes(category: Category) -> SearchStrategy[list[Command]]:
    """The beginning of an example, so that there is something to break; then any commands."""
    lives = EXAMPLES[category.name]
    beginnings = [life[:length] for life in lives for length in range(len(life) + 1)]
    anything = st.lists(any_of(*category.commands), min_size=12, max_size=20)
    return st.builds(list.__add__, st.sampled_from(beginnings), anything)


def lives(name: str) -> SearchStrategy[list[Any]]:
    """What comes of any sequence of commands, refusals put aside: every possible history."""
    (category,) = (category for category in SHOP.catalogue.categories if category.name == name)
    return wishes(category).map(
        lambda wishes: [event for _, events in live(category.decider, wishes) for event in events]
    )


def live(
    decider: Decider[Any, Any, Any], wishes: Sequence[Command]
) -> Iterator[tuple[Command, Sequence[Event]]]:
    """The accepted wishes, each with what followed; every one is sent twice."""
    state = decider.initial
    for wish in wishes:
        try:
            events = decider.decide(wish, state)
        except DomainError:
            continue
        for event in events:
            state = decider.evolve(state, event)
        assert list(decider.decide(wish, state)) == [], f"repeated, it did it again: {wish!r}"
        yield wish, events
