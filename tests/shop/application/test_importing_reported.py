"""The report of an import: every line is accounted for, the broken ones with their fault."""

from decimal import Decimal

import pytest

from application.command_dispatch import CommandDispatch
from application.shop.importing import ImportProgress, Report, import_history
from application.shop.importing.rows import FileLine
from application.shop.service import SHOP
from domain.values import Money
from infrastructure import memory
from infrastructure.shop.online_retail import SAMPLE, History
from tests.shop.application.histories import bring_in, history, row


@pytest.fixture
def store() -> memory.EventStore:
    return memory.EventStore(SHOP.catalogue)


# ── broken rows ──────────────────────────────────────────────────────────────────────────────────

BROKEN = {
    "a column too few": row().rpartition(",")[0],
    "a column too many": row() + ",",
    "no invoice": row(""),
    "an unknown prefix": row("B536365"),
    "a prefix in lower case": row("c536365", quantity=-1),
    "digits that are not ASCII": row("\uff15\uff13\uff16"),
    "an endless invoice number": row("5" * 21),
    "no code": row(code=""),
    "a code that is none": row(code=" 71053"),
    "a description without end": row(description="x" * 201),
    "a word for a quantity": row(quantity="six"),
    "a broken quantity": row(quantity="1.5"),
    "a quantity as Python writes it": row(quantity="1_000"),
    "no quantity": row(quantity=""),
    "a quantity of zero": row(quantity=0),
    "a quantity beyond all stock": row(quantity=10**9 + 1),
    "a quantity beyond all numbers": row(quantity="9" * 5000),
    "an impossible date": row(moment="2010-02-30 08:26:00"),
    "a date in another form": row(moment="01/12/2010 08:26"),
    "a date before all time zones": row(moment="0000-01-01 00:00:00"),
    "a date without a time": row(moment="2010-12-01"),
    "no price": row(price=""),
    "a price below zero": row(price="-0.01"),
    "a price that is no number": row(price="NaN"),
    "a price with an exponent": row(price="1e3"),
    "a price with seven decimals": row(price="0.0000001"),
    "a customer that is none": row(customer="17 850"),
    "a country without end": row(country="x" * 201),
    "a cancellation of more than nothing": row("C536365", quantity=1),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_row_is_rejected_and_the_rest_goes_on(
    store: memory.EventStore, broken: str
) -> None:
    """The report has its line number and a reason, and its neighbours are imported."""
    report = await bring_in(store, row("1"), broken, row("1"), row("2"))

    assert (report.lines, report.imported, report.orders) == (4, 3, 2)
    (finding,) = report.rejected_lines
    assert finding.line == 3
    assert finding.reason
    assert len(finding.found) < 60


@pytest.mark.parametrize("other", [row(customer="12346"), row(customer=""), row(country="France")])
async def test_a_row_that_contradicts_its_invoice_is_rejected(
    store: memory.EventStore, other: str
) -> None:
    """The first row of an invoice says whose it is."""
    report = await bring_in(store, row(), other, row())

    assert [it.line for it in report.rejected_lines] == [3]
    assert report.order_lines == 2


async def test_a_file_that_breaks_off_leaves_its_last_invoice_out(
    store: memory.EventStore,
) -> None:
    """It may be incomplete, and an order cannot be added to: the whole file brings it in later."""
    whole = history(row("1"), row("2"), row("2"), row("2"))
    damage = FileLine(5, [], "the file breaks off", cut_off=True)

    report = await import_history([*whole[:3], damage], CommandDispatch(store, SHOP.catalogue))

    assert report.lines == 4
    assert report.orders == 1
    assert [it.line for it in report.rejected_lines] == [3, 4, 5]
    assert (await import_history(whole, CommandDispatch(store, SHOP.catalogue))).order_lines == 4


async def test_a_history_may_be_empty(store: memory.EventStore) -> None:
    """A header and no line is a history in which nothing happened."""
    report = await bring_in(store)

    assert (report.lines, report.orders, report.order_value.amount) == (0, 0, Decimal(0))


# ── the report ───────────────────────────────────────────────────────────────────────────────────


async def test_the_sample_comes_in_as_its_description_says(store: memory.EventStore) -> None:
    """2,643 lines, of which 103 are returns and 3 adjustments; none is lost."""
    report = await import_history(History(SAMPLE), CommandDispatch(store, SHOP.catalogue))

    assert report.lines == 2643
    assert (report.orders, report.order_lines, report.write_offs) == (206, 2527, 10)
    assert report.order_value == Money.parse("303470.00 GBP")
    assert (report.matched, report.unmatched, report.returns) == (80, 23, 49)
    assert [it.found for it in report.rejected_lines] == ["'A563185'", "'A563186'", "'A563187'"]


async def test_a_report_that_does_not_add_up_cannot_be(store: memory.EventStore) -> None:
    """A line more or less, and there is an error in place of a report."""
    report = await bring_in(store, row())

    with pytest.raises(ValueError, match="did the file change"):
        Report.model_validate({**report.model_dump(), "lines": 2})


async def test_a_report_can_be_read_by_a_person_and_by_a_program(store: memory.EventStore) -> None:
    """Both have the counts, the reasons, and the lines that were left out."""
    report = await bring_in(store, row(), row(quantity="six"), row("C2", "z", -1))

    assert Report.model_validate_json(report.model_dump_json()) == report
    text = report.render()
    assert "1 lines of 1 orders worth 20.34 GBP" in text
    assert "line 3: 'six'" in text
    assert "line 4: 1 of z" in text


async def test_progress_tells_the_truth(store: memory.EventStore) -> None:
    """A line counts once its event is stored, and in the end all lines do."""
    seen: list[tuple[ImportProgress, int]] = []

    def tell(progress: ImportProgress) -> None:
        orders = {it.stream for it in store.after(-1, 1000) if it.type == "OrderPlaced"}
        seen.append((progress, len(orders)))

    rows = [row(str(invoice), code) for invoice in range(20) for code in "xy"]
    await import_history(history(*rows), CommandDispatch(store, SHOP.catalogue), tell, workers=3)

    assert [progress.lines for progress, _ in seen] == [40] * 21
    assert [progress.settled for progress, _ in seen] == list(range(0, 41, 2))
    assert all(progress.settled <= 2 * orders for progress, orders in seen)
