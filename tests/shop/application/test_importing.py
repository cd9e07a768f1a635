"""The import: what each kind of invoice becomes."""

from datetime import UTC, datetime

import pytest

from application.shop.service import SHOP
from domain.orders import LinesReturned, OrderPlaced
from domain.stock import StockWrittenOff
from domain.values import Money
from infrastructure import memory
from tests.shop.application.histories import back, bring_in, events, line, recorded, returns, row


@pytest.fixture
def store() -> memory.EventStore:
    return memory.EventStore(SHOP.catalogue)


# ── what an invoice becomes ──────────────────────────────────────────────────────────────────────


async def test_a_plain_invoice_is_an_order(store: memory.EventStore) -> None:
    """Its lines stand in the order of the file, with prices and descriptions as they are."""
    report = await bring_in(
        store,
        row(code="84029G", quantity=6, price="3.392", description=" no trim "),
        row(code="gift_0001_20", quantity=1, price="7", description=""),
        row(code="84029G", quantity=2, price="0"),
    )

    assert await events(store, "order-536365") == [
        OrderPlaced(
            customer_id="17850",
            country="United Kingdom",
            lines=(
                line("84029G", 6, "3.392 GBP", " no trim "),
                line("gift_0001_20", 1, "7 GBP", None),
                line("84029G", 2, "0 GBP", "WHITE METAL LANTERN"),
            ),
            from_history=True,
        )
    ]
    assert (report.orders, report.order_lines, report.imported) == (1, 3, 3)
    assert report.order_value == Money.parse("27.352 GBP")


async def test_an_order_was_placed_at_the_first_timestamp_of_its_invoice(
    store: memory.EventStore,
) -> None:
    """The shop's clock is London's, and in summer that is an hour ahead of UTC."""
    await bring_in(
        store,
        row("1", moment="2010-12-01 08:26:00"),
        row("2", moment="2011-07-04 13:34:00"),
        row("2", moment="2011-07-04 13:35:00"),
    )

    (winter,), (summer,) = await recorded(store, "order-1"), await recorded(store, "order-2")
    assert winter.metadata.occurred_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert summer.metadata.occurred_at == datetime(2011, 7, 4, 12, 34, tzinfo=UTC)


async def test_no_customer_is_a_guest(store: memory.EventStore) -> None:
    """Many orders of the history name no customer, and they are orders all the same."""
    await bring_in(store, row(customer=""))

    (placed,) = await events(store, "order-536365")
    assert isinstance(placed, OrderPlaced)
    assert placed.customer_id is None


async def test_lines_of_an_invoice_may_be_interleaved(store: memory.EventStore) -> None:
    """An invoice is complete at its last line, and not where another one begins."""
    await bring_in(store, row("1", "a"), row("2", "b"), row("1", "c"), row("2", "d"))

    for stream, skus in (("order-1", ["a", "c"]), ("order-2", ["b", "d"])):
        (placed,) = await events(store, stream)
        assert isinstance(placed, OrderPlaced)
        assert [line.sku for line in placed.lines] == skus


async def test_a_negative_quantity_on_a_plain_invoice_is_a_write_off(
    store: memory.EventStore,
) -> None:
    """Each such line takes goods from stock, for the reason in its description, if it has one."""
    report = await bring_in(
        store,
        row(code="22139", quantity=-3, price="0", description="damaged"),
        row(code="22139", quantity=2),
        row(code="22139", quantity=-1, price="0", description=""),
    )

    assert await events(store, "stock-22139") == [
        StockWrittenOff(write_off_id="536365-1", quantity=3, reason="damaged", from_history=True),
        StockWrittenOff(
            write_off_id="536365-3", quantity=1, reason="no reason recorded", from_history=True
        ),
    ]
    assert (report.write_offs, report.orders, report.imported) == (2, 1, 3)


async def test_an_adjustment_is_reported_and_not_imported(store: memory.EventStore) -> None:
    """An A invoice is bookkeeping: no order, whatever its price."""
    report = await bring_in(store, row("A563187", "B", 1, price="-11062.06", customer=""))

    assert store.last_position == -1
    assert report.rejected_lines[0].line == 2
    assert "adjustment" in report.rejected_lines[0].reason


# ── returns ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_return_belongs_to_the_latest_order_that_holds_enough(
    store: memory.EventStore,
) -> None:
    """Not to a later one with too little of it, nor to another customer's."""
    report = await bring_in(
        store,
        row("1", "x", 5),
        row("2", "x", 4),
        row("3", "x", 3),
        row("4", "x", 9, customer="12346"),
        row("C5", "x", -4),
    )

    assert await returns(store, "2") == [back(1, 4)]
    assert not [it for order in "134" for it in await returns(store, order)]
    assert (report.matched, report.returns) == (1, 1)


async def test_what_came_back_cannot_come_back_again(store: memory.EventStore) -> None:
    """A return counts against its line, so the next one goes to an earlier order, or nowhere."""
    report = await bring_in(
        store,
        row("1", "x", 5),
        row("2", "x", 5),
        row("C3", "x", -3),
        row("C4", "x", -3),
        row("C5", "x", -2),
        row("C6", "x", -3),
    )

    assert await returns(store, "2") == [back(1, 3), back(1, 2)]
    assert await returns(store, "1") == [back(1, 3)]
    assert [it.line for it in report.unmatched_lines] == [7]


async def test_of_several_lines_in_one_order_the_last_takes_the_return(
    store: memory.EventStore,
) -> None:
    """A return fits into one line: quantities of two lines do not add up."""
    report = await bring_in(
        store,
        row("1", "x", 3),
        row("1", "y", 3),
        row("1", "x", 2),
        row("C2", "x", -2),
        row("C3", "x", -2),
        row("C4", "x", -2),
    )

    assert await returns(store, "1") == [back(3, 2), back(1, 2)]
    assert [it.line for it in report.unmatched_lines] == [7]


async def test_lines_of_one_cancellation_for_one_order_are_one_event(
    store: memory.EventStore,
) -> None:
    """What was returned together is recorded together, when it came back."""
    report = await bring_in(
        store,
        row("1", "x", 3),
        row("1", "y", 3),
        row("2", "z", 3),
        row("C3", "y", -1, moment="2011-01-05 10:00:00"),
        row("C3", "z", -2, moment="2011-01-05 10:00:00"),
        row("C3", "x", -3, moment="2011-01-05 10:00:00"),
    )

    _, returned = await recorded(store, "order-1")
    assert returned.event == LinesReturned(return_id="C3", lines=(back(2, 1), back(1, 3)))
    assert returned.metadata.occurred_at == datetime(2011, 1, 5, 10, tzinfo=UTC)
    assert (report.matched, report.returns) == (3, 2)


async def test_codes_are_compared_as_they_stand(store: memory.EventStore) -> None:
    """The shop tells 85123A from 85123a."""
    report = await bring_in(store, row("1", "85123A"), row("C2", "85123a", -1))

    assert report.unmatched == 1


async def test_a_return_of_what_was_bought_later_is_unmatched(store: memory.EventStore) -> None:
    """Earlier is earlier in the file, whatever the dates say."""
    report = await bring_in(store, row("C1", "x", -1, moment="2011-01-01 00:00:00"), row("2", "x"))

    assert report.unmatched == 1


async def test_a_return_without_a_customer_is_unmatched(store: memory.EventStore) -> None:
    """Nobody knows which guest brought it back."""
    report = await bring_in(store, row("1", "x", customer=""), row("C2", "x", -1, customer=""))

    assert report.unmatched == 1


async def test_an_invoice_stands_where_its_first_line_stands(store: memory.EventStore) -> None:
    """So a return waits for the rest of an earlier order that is still being read."""
    report = await bring_in(
        store, row("1", "a"), row("C2", "x", -1), row("3", "x"), row("1", "x"), row("C4", "x", -6)
    )

    assert await returns(store, "1") == [back(2, 1)]
    assert await returns(store, "3") == [back(1, 6)]
    assert report.matched == 2


async def test_nothing_comes_back_to_an_order_that_the_domain_refuses(
    store: memory.EventStore,
) -> None:
    """Its lines are rejected for the domain's reason, and what came back of it with them."""
    report = await bring_in(
        store,
        row("1", "x", 1_000_000_000, price="999999"),
        row("1", "y", -1),
        row("C2", "x", -1),
    )

    assert [(it.line, it.reason) for it in report.rejected_lines] == [
        (2, "An order can be worth at most a million million"),
        (4, "The order of this step was refused"),
    ]
    assert report.write_offs == 1
