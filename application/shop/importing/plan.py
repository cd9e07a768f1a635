"""Groups the lines of a history into invoices, and orders these. Pure.

A history is read twice. The survey finds the last line of each invoice (lines of several may be
interleaved) and what is ever returned. So the plan can go line by line with little memory.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from application.shop.importing.invoices import ImportStep, Invoice, place, take_back, write_off
from application.shop.importing.matching import Purchases
from application.shop.importing.report import Rejected, Unmatched
from application.shop.importing.rows import BrokenRow, FileLine, InvoiceKind, Row, Source, parse

_INCOMPLETE = "the file breaks off in or right after this invoice, so it may be incomplete"


@dataclass(frozen=True)
class Survey:
    """What must be known of the whole file before its first line can be imported."""

    lines: int
    last_lines: Mapping[str, int]  # of each invoice
    returned: Set[tuple[str, str]]  # customer and code of all that comes back
    in_doubt: str | None  # the invoice that may be incomplete, because the file breaks off


def survey(source: Source) -> Survey:
    """Read all of it once."""
    lines, invoice, in_doubt = 0, None, None
    last_lines: dict[str, int] = {}
    returned: set[tuple[str, str]] = set()
    for line in source:
        lines += 1
        if line.cut_off:
            in_doubt = invoice
        if line.fields:
            invoice = line.fields[0]
            last_lines[invoice] = line.number
            if invoice.startswith("C") and len(line.fields) > 6:
                returned.add((line.fields[6], line.fields[1]))
    return Survey(lines, last_lines, returned, in_doubt)


class Plan:
    """The steps of an import. An invoice has the place of its first row."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._purchases = Purchases(survey.returned)
        self._open: dict[str, Invoice] = {}
        self._unsettled: defaultdict[str, deque[Invoice]] = defaultdict(deque)  # by customer

    def steps(self, source: Source) -> Iterator[ImportStep | Unmatched | Rejected]:
        """Every line of ``source`` once: as part of a step, or left out with a finding.

        The steps of one aggregate come in the order in which they have to be carried out.
        """
        for line in source:
            try:
                self._add(parse(line))
            except BrokenRow as broken:
                yield Rejected(line.number, broken.reason, broken.found)
            if line.fields and self._survey.last_lines.get(line.fields[0]) == line.number:
                yield from self._complete(line)

    def _add(self, row: Row) -> None:
        invoice = self._open.get(row.invoice)
        if invoice is None:
            invoice = self._open[row.invoice] = Invoice.of(row)
            if row.customer is not None:
                self._unsettled[row.customer].append(invoice)
        invoice.add(row)

    def _complete(self, line: FileLine) -> Iterator[ImportStep | Unmatched | Rejected]:
        invoice = self._open.pop(line.fields[0], None)
        if invoice is None:
            return  # none of its lines made sense
        if invoice.number == self._survey.in_doubt:
            yield from invoice.reject(_INCOMPLETE)
        if invoice.kind is InvoiceKind.PLAIN:
            yield from place(invoice)
            yield from write_off(invoice)
        invoice.complete = True
        yield from self._settle(invoice)

    def _settle(self, invoice: Invoice) -> Iterator[ImportStep | Unmatched | Rejected]:
        """A return waits until all earlier invoices of its customer are complete."""
        if invoice.customer is None:
            if invoice.kind is InvoiceKind.CANCELLATION:
                yield from take_back(invoice, self._purchases)
            return
        queue = self._unsettled[invoice.customer]
        while queue and queue[0].complete:
            earliest = queue.popleft()
            if earliest.kind is InvoiceKind.CANCELLATION:
                yield from take_back(earliest, self._purchases)
            else:
                lines = ((row.code, row.quantity) for row in earliest.sales)
                self._purchases.remember(invoice.customer, earliest.number, lines)
        if not queue:
            del self._unsettled[invoice.customer]
