"""THE TABLE: the whole system on one page. A stream is named ``<category>-<id>``."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args

from application import parking
from application.event_filter import EventFilter
from application.sagas import events as sagas
from application.sagas import operating
from application.snapshots import Snapshots, SnapshotTaken
from domain import orders, payments, shipments, stock
from domain.decider import Command, Decider, Event


@dataclass(frozen=True)
class Category:
    """One kind of stream: who decides, what may be asked, what may have happened."""

    name: str
    decider: Decider[Any, Any, Any]
    commands: tuple[type[Command], ...]
    events: tuple[type[Event], ...]
    snapshots: Snapshots | None = None  # for streams of many hundreds of events

    @property
    def ours(self) -> EventFilter:
        """Its events: of its types, in its streams."""
        return EventFilter.of(self.name, *(event.__name__ for event in self.events))

    def stream(self, id: str) -> str:
        """The name of one aggregate's stream."""
        return f"{self.name}-{id}"


def _category(
    name: str,
    decider: Decider[Any, Any, Any],
    commands: Any,
    events: Any,
    snapshots: Snapshots | None = None,
) -> Category:
    return Category(name, decider, get_args(commands), get_args(events), snapshots)


def _records(name: str, event: type[Event]) -> Category:
    """What the service keeps for itself: nobody asks for it, and the last one counts."""
    return Category(name, Decider(None, lambda _, last: last, lambda *_: ()), (), (event,))


# fmt: off
CATEGORIES = (
    _category("order",    orders.decider,    orders.OrderCommand,       orders.OrderEvent),
    _category("stock",    stock.decider,     stock.StockCommand,        stock.StockEvent),
    _category("payment",  payments.decider,  payments.PaymentCommand,   payments.PaymentEvent),
    _category("shipment", shipments.decider, shipments.ShipmentCommand, shipments.ShipmentEvent),
    _category("order_fulfilment", operating.decider, operating.SagaCommand, sagas.SagaEvent),
    _records("deadlines", sagas.DeadlinesKept),
    _category("parking",  parking.decider,   parking.ParkingCommand,    parking.ParkingEvent),
    _records("snapshot",  SnapshotTaken),
)
# fmt: on

BY_COMMAND = MappingProxyType({command: cat for cat in CATEGORIES for command in cat.commands})
EVENTS = MappingProxyType({event.__name__: event for cat in CATEGORIES for event in cat.events})
"""Every event of the system by its stored name, which is its class name."""

OURS = EventFilter(frozenset(pair for category in CATEGORIES for pair in category.ours.pairs))
"""Every event of the system, where it belongs."""


def ours(*events: type[Event] | str) -> EventFilter:
    """Only these events of ours."""
    return OURS.of_types(one if isinstance(one, str) else one.__name__ for one in events)


def split(stream: str) -> tuple[str, str]:
    """Category and id of a stream: ``"stock-BANK CHARGES"`` → ``("stock", "BANK CHARGES")``."""
    category, _, id = stream.partition("-")
    return category, id
