"""What the customers of an order history want, and when: orders, and goods that go back. Pure.

A history names no order that a cancellation belongs to; it is matched as the import does it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from application.shop.importing.invoices import Step
from application.shop.importing.plan import Plan, survey
from application.shop.importing.rows import Source
from domain.orders import PlaceOrder, ReturnedLine, ReturnLines


@dataclass(frozen=True, slots=True)
class Place:
    """A customer places an order."""

    order_id: str
    moment: datetime
    command: PlaceOrder


@dataclass(frozen=True, slots=True)
class Back:
    """A customer does not want some of it, or (``whole``) any of it."""

    order_id: str
    moment: datetime
    command: ReturnLines
    whole: bool


Wish = Place | Back


def traffic(source: Source, orders: int | None = None) -> Iterator[Wish]:
    """The wishes of the first so many orders, in the order of the history. Reads it twice."""
    ordered: dict[str, tuple[int, ...]] = {}
    for step in Plan(survey(source)).steps(source):
        if not isinstance(step, Step):
            continue  # a line that is no order
        match step.command:
            case PlaceOrder() as command if orders is None or len(ordered) < orders:
                ordered[step.id] = tuple(line.quantity for line in command.lines)
                live = command.model_copy(update={"from_history": False})
                yield Place(step.id, step.context.occurred_at, live)
            case ReturnLines() as command if step.id in ordered:
                whole = _covers(command.lines, ordered[step.id])
                yield Back(step.id, step.context.occurred_at, command, whole)


def _covers(returned: tuple[ReturnedLine, ...], ordered: tuple[int, ...]) -> bool:
    units = Counter[int]()
    for line in returned:
        units[line.line] += line.quantity
    return all(units[number] == quantity for number, quantity in enumerate(ordered, start=1))
