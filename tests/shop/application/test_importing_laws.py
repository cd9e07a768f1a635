"""Whatever the history, and wherever the import is cut off: what must hold for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from application.command_dispatch import CommandDispatch
from application.messages import NewEvent, RecordedEvent
from application.ports import Appended, StoreUnavailable
from application.shop.importing import ImportStopped, Report, import_history
from application.shop.service import SHOP
from domain.orders import LinesReturned, OrderPlaced
from infrastructure import memory
from tests.histories import LAW
from tests.shop.application.histories import history, row

CUSTOMERS = {"1": "a", "2": "a", "3": "b", "4": "a", "5": "", "C6": "a", "C7": "b", "C8": "a"}
"""Few customers, codes and units, so that they meet: interleaved, twice in an order, too few."""


@st.composite
def one_row(draw: st.DrawFn) -> str:
    invoice = draw(st.sampled_from([*CUSTOMERS, "C6", "C8", "A9", "?"]))
    units = draw(st.integers(1, 4))
    quantity = -units if invoice.startswith("C") or draw(st.integers(0, 9)) == 0 else units
    code = draw(st.sampled_from("xyz"))
    return row(invoice, code, quantity, customer=CUSTOMERS.get(invoice, ""))


histories = st.lists(one_row(), max_size=30)


class Dying(memory.EventStore):
    """A store that is there for so many appends, carries out one more without a word, and dies."""

    def __init__(self, appends: int) -> None:
        super().__init__(SHOP.catalogue)
        self.left = appends

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        if self.left < 0:
            raise StoreUnavailable("gone")
        self.left -= 1
        appended = await super().append(stream, events, expected_version)
        if self.left < 0:
            raise StoreUnavailable("gone")
        return appended


async def _no_pause(_attempt: int) -> None:
    await asyncio.sleep(0)


def bring_in(rows: Sequence[str], store: memory.EventStore, workers: int = 3) -> Report:
    dispatch = CommandDispatch(store, SHOP.catalogue)
    return asyncio.run(import_history(history(*rows), dispatch, workers=workers, pause=_no_pause))


def streams(store: memory.EventStore) -> dict[str, list[tuple[object, ...]]]:
    """All that is in the store, stream by stream, to the byte."""
    found: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    for event in store.after(-1, 10_000):
        found[event.stream].append((event.id, event.type, event.data, event.metadata_json))
    return dict(found)


def of_type(store: memory.EventStore, type: str) -> list[RecordedEvent]:
    return [event for event in store.after(-1, 10_000) if event.type == type]


@LAW
@given(histories)
def test_every_line_ends_in_exactly_one_place(rows: list[str]) -> None:
    """In an order, in a write-off, in a return, or in the report: counted in the store itself."""
    store = memory.EventStore(SHOP.catalogue)

    report = bring_in(rows, store)

    lines = {"OrderPlaced": 0, "LinesReturned": 0}
    for event in store.after(-1, 10_000):
        if isinstance(event.event, OrderPlaced | LinesReturned):
            lines[event.type] += len(event.event.lines)
    assert report.lines == len(rows)
    assert report.imported == lines["OrderPlaced"] + len(of_type(store, "StockWrittenOff"))
    assert report.matched == lines["LinesReturned"]
    left_out = [it.line for it in (*report.unmatched_lines, *report.rejected_lines)]
    assert len(set(left_out)) == len(left_out) == len(rows) - report.imported - report.matched


@LAW
@given(histories)
def test_returns_are_matched_as_by_hand(rows: list[str]) -> None:
    """Invoice by invoice, each return through all earlier orders, the latest first."""
    store = memory.EventStore(SHOP.catalogue)

    report = bring_in(rows, store)

    matched = {
        (event.event.return_id, event.stream_id, line.line, line.quantity)
        for event in of_type(store, "LinesReturned")
        if isinstance(event.event, LinesReturned)
        for line in event.event.lines
    }
    expected, unmatched = matched_by_hand(rows)
    assert matched == set(expected)
    assert report.matched == len(expected)
    assert {it.line for it in report.unmatched_lines} == unmatched


def matched_by_hand(rows: list[str]) -> tuple[list[tuple[str, str, int, int]], set[int]]:
    """The sentences of the rule, one after the other, as slowly as they read."""
    invoices: dict[str, list[tuple[int, str, int]]] = {}
    for number, text in enumerate(rows, start=2):
        invoice, code, _, units, *_ = text.split(",")
        invoices.setdefault(invoice, []).append((number, code, int(units)))
    orders: list[tuple[str, list[tuple[str, list[int]]]]] = []
    matched: list[tuple[str, str, int, int]] = []
    unmatched: set[int] = set()
    for invoice, lines in invoices.items():
        if invoice.isdigit():
            orders.append((invoice, [(code, [sold]) for _, code, sold in lines if sold > 0]))
        if not invoice.startswith("C"):
            continue
        for number, code, quantity in lines:
            fitting = [
                (order, line, left)
                for order, order_lines in orders
                if CUSTOMERS[order] == CUSTOMERS[invoice]
                for line, (sku, left) in enumerate(order_lines, start=1)
                if sku == code and left[0] >= -quantity
            ]
            if fitting:
                order, line, left = fitting[-1]
                left[0] += quantity
                matched.append((invoice, order, line, -quantity))
            else:
                unmatched.add(number)
    return matched, unmatched


@LAW
@given(histories, st.integers(1, 5))
def test_no_more_comes_back_than_was_ordered(rows: list[str], workers: int) -> None:
    """Line by line, in every order, with however many workers: nothing was refused."""
    store = memory.EventStore(SHOP.catalogue)

    report = bring_in(rows, store, workers)

    left: dict[tuple[str, int], int] = {}
    for event in store.after(-1, 10_000):
        match event.event:
            case OrderPlaced(lines=lines):
                for number, line in enumerate(lines, start=1):
                    left[event.stream_id, number] = line.quantity
            case LinesReturned(lines=returned):
                for it in returned:
                    left[event.stream_id, it.line] -= it.quantity
    assert all(units >= 0 for units in left.values())
    assert {it.found[1] for it in report.rejected_lines} <= {"A", "?"}


@LAW
@given(histories)
def test_running_it_twice_changes_nothing(rows: list[str]) -> None:
    """Not an event more, and the same report."""
    store = memory.EventStore(SHOP.catalogue)
    first = bring_in(rows, store)
    before = streams(store)

    assert bring_in(rows, store) == first
    assert streams(store) == before


@LAW
@given(histories, st.integers(0, 15), st.integers(1, 5))
def test_cut_off_anywhere_and_repeated_it_gives_the_same_streams(
    rows: list[str], appends: int, workers: int
) -> None:
    """Byte for byte, data and metadata, as one clean run."""
    clean, disturbed = memory.EventStore(SHOP.catalogue), Dying(appends)
    report = bring_in(rows, clean)

    with suppress(ImportStopped):
        bring_in(rows, disturbed, workers)
    disturbed.left = 10_000

    assert bring_in(rows, disturbed) == report
    assert streams(disturbed) == streams(clean)
