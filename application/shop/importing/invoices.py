"""From an invoice to its commands: an order, stock write-offs, or returns.

Each step is made of the invoice alone, ids included. So the same history leads to the same events,
to the byte, however often it is imported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from application.messages import Context
from application.shop.importing.matching import Purchases
from application.shop.importing.report import Rejected, Unmatched
from application.shop.importing.rows import BrokenRow, InvoiceKind, Row
from domain.decider import Command
from domain.orders import OrderLine, PlaceOrder, ReturnedLine, ReturnLines
from domain.stock import WriteOffStock

ACTOR = "import"
_NAMESPACE = uuid5(NAMESPACE_URL, "https://doi.org/10.24432/C5BW33")  # of command ids


@dataclass(frozen=True, slots=True)
class ImportStep:
    """One command, and the lines of the file that it is made of."""

    id: str  # of the aggregate
    command: Command
    context: Context
    lines: tuple[int, ...]
    value: Decimal = Decimal(0)

    def refused(self, error: Exception) -> Iterator[Rejected]:
        """The findings for its lines when the command is refused."""
        reason = (type(error).__doc__ or type(error).__name__).partition("\n")[0].rstrip(".")
        return (Rejected(line, reason, str(error)) for line in self.lines)


@dataclass(slots=True)
class Invoice:
    """The rows of one invoice so far. Its first row has the customer and the time."""

    number: str
    kind: InvoiceKind
    customer: str | None
    country: str | None
    moment: datetime
    rows: list[Row] = field(default_factory=list)
    complete: bool = False

    @classmethod
    def of(cls, row: Row) -> "Invoice":
        """An invoice that begins with this row, which is still to be added."""
        return cls(row.invoice, row.kind, row.customer, row.country, row.moment)

    def add(self, row: Row) -> None:
        """Raises :class:`BrokenRow` when the row contradicts the first one."""
        if row.customer != self.customer:
            found = f"{row.customer}, not {self.customer}"
            raise BrokenRow("all lines of an invoice have the same CustomerID", found)
        if row.country != self.country:
            found = f"{row.country}, not {self.country}"
            raise BrokenRow("all lines of an invoice have the same Country", found)
        self.rows.append(row)

    @property
    def sales(self) -> Sequence[Row]:
        """What was sold, in the order of the file: line 1 of the order first."""
        return [row for row in self.rows if row.quantity > 0]

    def reject(self, reason: str) -> Iterator[Rejected]:
        """Leave all of it out."""
        rejected = [Rejected(row.number, reason, self.number) for row in self.rows]
        self.rows.clear()
        return iter(rejected)

    def context(self, name: str) -> Context:
        """The context of a command of this invoice; ``name`` is unique."""
        command_id = uuid5(_NAMESPACE, name)
        story = f"invoice-{self.number}"
        return Context.start(ACTOR, command_id, self.moment, correlation_id=story)


def place(invoice: Invoice) -> Iterator[ImportStep]:
    """The order of a plain invoice, if it sold anything."""
    sales = invoice.sales
    if not sales:
        return
    command = PlaceOrder(
        customer_id=invoice.customer,
        country=invoice.country,
        lines=tuple(map(_order_line, sales)),
        from_history=True,
    )
    context = invoice.context(f"place {invoice.number}")
    value = sum((row.price.amount * row.quantity for row in sales), Decimal(0))
    yield ImportStep(invoice.number, command, context, tuple(row.number for row in sales), value)


def _order_line(row: Row) -> OrderLine:
    return OrderLine(
        sku=row.code,
        description=row.description,
        quantity=row.quantity,
        unit_price=row.price,
    )


def write_off(invoice: Invoice) -> Iterator[ImportStep]:
    """The goods that a plain invoice wrote off: its rows with a negative quantity."""
    for index, row in enumerate(invoice.rows, start=1):
        if row.quantity < 0:
            id = f"{invoice.number}-{index}"
            command = WriteOffStock(
                write_off_id=id,
                quantity=-row.quantity,
                reason=row.description or "no reason recorded",
                from_history=True,
            )
            yield ImportStep(row.code, command, invoice.context(f"write off {id}"), (row.number,))


def take_back(
    invoice: Invoice, purchases: Purchases
) -> Iterator[ImportStep | Unmatched | Rejected]:
    """The returns of a cancellation: one step for each order."""
    by_order: dict[str, list[tuple[Row, int]]] = {}
    for row in invoice.rows:
        found = f"{-row.quantity} of {row.code}"
        if row.customer is None:
            yield Unmatched(row.number, "a return without a customer", found)
        elif bought := purchases.take_back(row.customer, row.code, -row.quantity):
            by_order.setdefault(bought.order, []).append((row, bought.line))
        else:
            reason = "no earlier order of the customer has one line with so many left"
            yield Unmatched(row.number, reason, found)
    for order, returned in by_order.items():
        lines = (ReturnedLine(line=line, quantity=-row.quantity) for row, line in returned)
        command = ReturnLines(return_id=invoice.number, lines=tuple(lines))
        context = invoice.context(f"return {invoice.number} to {order}")
        yield ImportStep(order, command, context, tuple(row.number for row, _ in returned))
