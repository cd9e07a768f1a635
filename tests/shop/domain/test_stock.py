"""The rules of stock, one sentence each."""

import pytest

from domain import stock as page
from domain.stock import (
    AdjustStock,
    AlreadyDispatched,
    DispatchStock,
    NotOnHand,
    NotReserved,
    OutOfStock,
    PromisedToOrders,
    ReceiveStock,
    RecordedOtherwise,
    ReleaseStock,
    ReservedOtherwise,
    ReserveStock,
    StockAdjusted,
    StockDispatched,
    StockReceived,
    StockReleased,
    StockReserved,
    StockWrittenOff,
    WriteOffStock,
)
from tests.specification import Specification

stock = Specification(page.decider)

FIVE = StockReceived(receipt_id="in-1", quantity=5)
THREE_RESERVED = StockReserved(order_id="o-1", quantity=3)
THREE_RELEASED = StockReleased(order_id="o-1", quantity=3)
THREE_DISPATCHED = StockDispatched(order_id="o-1", quantity=3)
SEVEN_LOST_IN_HISTORY = StockWrittenOff(
    write_off_id="w-0", quantity=7, reason="lost", from_history=True
)

empty = stock.given()
five = stock.given(FIVE)
three_of_five_reserved = stock.given(FIVE, THREE_RESERVED)
three_of_five_dispatched = stock.given(FIVE, THREE_RESERVED, THREE_DISPATCHED)


# ── receiving ────────────────────────────────────────────────────────────────────────────────────


def test_goods_are_received() -> None:
    """What arrives is on hand and available."""
    empty.when(ReceiveStock(receipt_id="in-1", quantity=5)).then(FIVE)
    assert page.decider.fold([FIVE]).available == 5


def test_a_receipt_counts_once() -> None:
    """The same receipt again, even after others, changes nothing; another one is refused."""
    later = stock.given(FIVE, StockReceived(receipt_id="in-2", quantity=1))
    later.when(ReceiveStock(receipt_id="in-1", quantity=5)).then_nothing()
    later.when(ReceiveStock(receipt_id="in-1", quantity=6)).then_refused(RecordedOtherwise)


def test_ids_of_receipts_write_offs_and_adjustments_are_apart() -> None:
    """Each kind of entry numbers its own."""
    five.when(WriteOffStock(write_off_id="in-1", quantity=1, reason="wet")).then(
        StockWrittenOff(write_off_id="in-1", quantity=1, reason="wet")
    )


# ── reserving and releasing ──────────────────────────────────────────────────────────────────────


def test_what_is_available_is_reserved_to_the_last_piece() -> None:
    """An order may take all there is."""
    five.when(ReserveStock(order_id="o-1", quantity=5)).then(
        StockReserved(order_id="o-1", quantity=5)
    )


def test_stock_cannot_be_promised_twice() -> None:
    """What is promised to one order is not available to another."""
    three_of_five_reserved.when(ReserveStock(order_id="o-2", quantity=3)).then_refused(OutOfStock)
    three_of_five_reserved.when(ReserveStock(order_id="o-2", quantity=2)).then(
        StockReserved(order_id="o-2", quantity=2)
    )


def test_what_was_never_received_is_out_of_stock() -> None:
    """A new SKU has nothing to promise."""
    empty.when(ReserveStock(order_id="o-1", quantity=1)).then_refused(OutOfStock)


def test_an_order_reserves_once() -> None:
    """An order that wants another quantity has to release first."""
    three_of_five_reserved.when(ReserveStock(order_id="o-1", quantity=4)).then_refused(
        ReservedOtherwise
    )


def test_released_goods_are_available_again() -> None:
    """A release gives back all that the order had reserved."""
    three_of_five_reserved.when(ReleaseStock(order_id="o-1")).then(THREE_RELEASED)
    stock.given(FIVE, THREE_RESERVED, THREE_RELEASED).when(
        ReserveStock(order_id="o-2", quantity=5)
    ).then(StockReserved(order_id="o-2", quantity=5))


def test_an_order_may_reserve_again_after_a_release() -> None:
    """A release closes nothing: the same order may come back, with another quantity."""
    stock.given(FIVE, THREE_RESERVED, THREE_RELEASED).when(
        ReserveStock(order_id="o-1", quantity=4)
    ).then(StockReserved(order_id="o-1", quantity=4))


def test_releasing_in_doubt_is_safe() -> None:
    """Where nothing is reserved there is nothing to release."""
    five.when(ReleaseStock(order_id="o-1")).then_nothing()
    empty.when(ReleaseStock(order_id="o-1")).then_nothing()


# ── dispatching ──────────────────────────────────────────────────────────────────────────────────


def test_reserved_goods_are_dispatched() -> None:
    """What leaves is what the order had reserved, and it is no longer on hand."""
    three_of_five_reserved.when(DispatchStock(order_id="o-1")).then(THREE_DISPATCHED)
    after = page.decider.fold(three_of_five_dispatched.history)
    assert (after.on_hand, after.available) == (2, 2)


def test_nothing_is_dispatched_unreserved() -> None:
    """Dispatch needs a reservation, and a released one is none."""
    five.when(DispatchStock(order_id="o-1")).then_refused(NotReserved)
    stock.given(FIVE, THREE_RESERVED, THREE_RELEASED).when(
        DispatchStock(order_id="o-1")
    ).then_refused(NotReserved)


def test_dispatched_goods_are_not_released() -> None:
    """What has left cannot be promised to another."""
    three_of_five_dispatched.when(ReleaseStock(order_id="o-1")).then_refused(AlreadyDispatched)


def test_an_order_is_served_once() -> None:
    """After dispatch the same reservation changes nothing, and another one is refused."""
    three_of_five_dispatched.when(ReserveStock(order_id="o-1", quantity=3)).then_nothing()
    three_of_five_dispatched.when(ReserveStock(order_id="o-1", quantity=2)).then_refused(
        AlreadyDispatched
    )


# ── writing off ──────────────────────────────────────────────────────────────────────────────────


def test_damaged_goods_are_written_off() -> None:
    """A write-off says how many and why, and takes them off the stock."""
    five.when(WriteOffStock(write_off_id="w-1", quantity=5, reason="wet")).then(
        StockWrittenOff(write_off_id="w-1", quantity=5, reason="wet")
    )


def test_a_write_off_counts_once() -> None:
    """The same write-off again changes nothing, even with the shelf empty; another is refused."""
    after = stock.given(FIVE, StockWrittenOff(write_off_id="w-1", quantity=5, reason="wet"))
    after.when(WriteOffStock(write_off_id="w-1", quantity=5, reason="wet")).then_nothing()
    after.when(WriteOffStock(write_off_id="w-1", quantity=5, reason="lost")).then_refused(
        RecordedOtherwise
    )


def test_no_more_is_written_off_than_there_is() -> None:
    """Stock never goes below zero."""
    five.when(WriteOffStock(write_off_id="w-1", quantity=6, reason="lost")).then_refused(NotOnHand)


def test_promised_goods_are_not_written_off() -> None:
    """An order has to be released before its goods go."""
    three_of_five_reserved.when(
        WriteOffStock(write_off_id="w-1", quantity=3, reason="lost")
    ).then_refused(PromisedToOrders)


# ── history ──────────────────────────────────────────────────────────────────────────────────────


def test_history_writes_off_what_it_never_received() -> None:
    """A write-off from history may leave the stock below zero, and the event says so."""
    lost = WriteOffStock(write_off_id="w-0", quantity=7, reason="lost", from_history=True)
    empty.when(lost).then(SEVEN_LOST_IN_HISTORY)
    three_of_five_reserved.when(lost).then(SEVEN_LOST_IN_HISTORY)


def test_stock_below_zero_sells_nothing() -> None:
    """After history took more than there was, goods have to arrive before any can go."""
    owing = stock.given(FIVE, THREE_RESERVED, SEVEN_LOST_IN_HISTORY)
    owing.when(ReserveStock(order_id="o-2", quantity=1)).then_refused(OutOfStock)
    owing.when(DispatchStock(order_id="o-1")).then_refused(NotOnHand)
    owing.when(WriteOffStock(write_off_id="w-1", quantity=1, reason="lost")).then_refused(NotOnHand)


def test_a_refusal_never_speaks_of_less_than_nothing() -> None:
    """Below zero, messages say that 0 are available."""
    owing = page.decider.fold([SEVEN_LOST_IN_HISTORY])
    with pytest.raises(OutOfStock, match="1 are wanted, 0 are available"):
        page.decide(ReserveStock(order_id="o-2", quantity=1), owing)


# ── adjusting ────────────────────────────────────────────────────────────────────────────────────


def test_a_count_corrects_the_books() -> None:
    """A count may find more than was recorded, or less."""
    for difference in (2, -5):
        five.when(AdjustStock(adjustment_id="a-1", difference=difference, reason="count")).then(
            StockAdjusted(adjustment_id="a-1", difference=difference, reason="count")
        )


def test_a_count_that_agrees_changes_nothing() -> None:
    """Without a difference there is nothing to record."""
    five.when(AdjustStock(adjustment_id="a-1", difference=0, reason="count")).then_nothing()


def test_an_adjustment_counts_once() -> None:
    """The same adjustment again changes nothing; another under its id is refused."""
    counted = stock.given(FIVE, StockAdjusted(adjustment_id="a-1", difference=-5, reason="count"))
    counted.when(AdjustStock(adjustment_id="a-1", difference=-5, reason="count")).then_nothing()
    for other in (-4, 0):
        counted.when(
            AdjustStock(adjustment_id="a-1", difference=other, reason="count")
        ).then_refused(RecordedOtherwise)


def test_a_count_does_not_take_what_is_not_there_or_promised() -> None:
    """Adjusting down follows the same limits as writing off."""
    five.when(AdjustStock(adjustment_id="a-1", difference=-6, reason="count")).then_refused(
        NotOnHand
    )
    three_of_five_reserved.when(
        AdjustStock(adjustment_id="a-1", difference=-3, reason="count")
    ).then_refused(PromisedToOrders)


def test_a_count_may_find_goods_while_the_books_are_below_zero() -> None:
    """Adjusting up is always possible."""
    stock.given(SEVEN_LOST_IN_HISTORY).when(
        AdjustStock(adjustment_id="a-1", difference=2, reason="count")
    ).then(StockAdjusted(adjustment_id="a-1", difference=2, reason="count"))
