"""The read models, each from its events, with every event delivered several times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ports import Seen
from application.projections.folding import fold
from application.projections.projection import Projection, View
from application.shop.read_models.order_summary import OrderSummary, SummaryLine, order_summary
from application.shop.read_models.stock_levels import StockLevel, stock_levels
from application.shop.service import SHOP
from domain import stock
from domain.decider import DomainError
from domain.orders import (
    LinesReturned,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderLine,
    OrderPlaced,
    OrderShipped,
    OrderStatus,
    RecipientNamed,
    ReturnedLine,
)
from domain.values import Money
from tests.histories import LAW
from tests.projection_specification import ProjectionSpecification, at, recorded

orders = ProjectionSpecification(SHOP.catalogue, order_summary)
levels = ProjectionSpecification(SHOP.catalogue, stock_levels)

HEART = OrderLine(
    sku="85123A", description="WHITE HEART", quantity=6, unit_price=Money.parse("2.55 GBP")
)
BANK = OrderLine(sku="BANK CHARGES", quantity=3, unit_price=Money.parse("0.001 GBP"))


def summary(line: OrderLine, returned: int = 0) -> SummaryLine:
    return SummaryLine(line.sku, line.description, line.quantity, line.unit_price, returned)


PLACED = OrderPlaced(customer_id="17850", country="France", lines=(HEART, BANK, HEART))
SUMMARY = OrderSummary(
    order_id="o-1",
    version=0,
    status=OrderStatus.PLACED,
    customer_id="17850",
    country="France",
    placed_at=at(0),
    updated_at=at(0),
    from_history=False,
    currency="GBP",
    line_count=3,
    units=15,
    total=Money.parse("30.603 GBP"),
    returned_units=0,
    returned_total=Money.zero("GBP"),
    lines=tuple(summary(line) for line in (HEART, BANK, HEART)),
)


def changed(**changes: object) -> OrderSummary:
    return SUMMARY.model_copy(update=changes)


def test_a_placed_order_is_summed_up() -> None:
    """Lines, units and worth are added up exactly."""
    orders.given(("order-o-1", PLACED)).then({"o-1": SUMMARY})


def test_the_recipient_is_shown_with_the_order() -> None:
    """What the label says is a part of the order, but of no list."""
    named = RecipientNamed(recipient="Ada Lovelace", address="London")
    shown = changed(version=1, updated_at=at(1), recipient="Ada Lovelace", address="London")
    orders.given(("order-o-1", PLACED), ("order-o-1", named)).then({"o-1": shown})
    assert {"recipient", "address"} <= {*order_summary.detail}


def test_an_order_goes_its_way() -> None:
    """OrderStatus, shipment, version and time follow the events of the order."""
    orders.given(
        ("order-o-1", PLACED),
        ("order-o-1", OrderConfirmed()),
        ("order-o-1", OrderShipped(shipment_id="s-1")),
        ("order-o-1", OrderDelivered()),
    ).then(
        {
            "o-1": changed(
                version=3, status=OrderStatus.DELIVERED, shipment_id="s-1", updated_at=at(3)
            )
        }
    )


def test_a_cancelled_order_keeps_its_worth() -> None:
    """Cancelling changes the status and nothing of what was ordered."""
    orders.given(("order-o-1", PLACED), ("order-o-1", OrderCancelled(reason="dear"))).then(
        {"o-1": changed(version=1, status=OrderStatus.CANCELLED, updated_at=at(1))}
    )


def test_returns_add_up_line_by_line() -> None:
    """What came back is counted in its line and summed at that line's price."""
    returns = (
        LinesReturned(return_id="r-1", lines=(ReturnedLine(line=3, quantity=2),)),
        LinesReturned(
            return_id="r-2",
            lines=(ReturnedLine(line=3, quantity=1), ReturnedLine(line=2, quantity=3)),
        ),
    )
    lines = tuple(
        summary(line, returned=back) for line, back in ((HEART, 0), (BANK, 3), (HEART, 3))
    )

    orders.given(("order-o-1", PLACED), *(("order-o-1", back) for back in returns)).then(
        {
            "o-1": changed(
                version=2,
                updated_at=at(2),
                lines=lines,
                returned_units=6,
                returned_total=Money.parse("7.653 GBP"),
            )
        }
    )


def test_orders_do_not_mix() -> None:
    """Each order has a view of its own, whatever comes in between."""
    orders.given(
        ("order-o-1", PLACED),
        ("order-o-2", PLACED),
        ("order-o-1", OrderConfirmed()),
    ).then(
        {
            "o-1": changed(version=1, status=OrderStatus.CONFIRMED, updated_at=at(2)),
            "o-2": changed(order_id="o-2", placed_at=at(1), updated_at=at(1)),
        }
    )


def test_an_order_that_was_never_placed_is_no_guess() -> None:
    """An event of an unknown order is an error that names the order, not a half view."""
    events = recorded(SHOP.catalogue, [("order-o-9", OrderConfirmed())])

    with pytest.raises(LookupError, match="OrderConfirmed of order o-9, which was never placed"):
        fold(order_summary, events, {})


def test_stock_moves() -> None:
    """What is on hand, what is promised and what is free follow the movements."""
    levels.given(
        ("stock-BANK CHARGES", stock.StockReceived(receipt_id="r-1", quantity=10)),
        ("stock-BANK CHARGES", stock.StockReserved(order_id="o-1", quantity=4)),
        ("stock-BANK CHARGES", stock.StockReserved(order_id="o-2", quantity=3)),
        ("stock-BANK CHARGES", stock.StockReleased(order_id="o-2", quantity=3)),
        ("stock-BANK CHARGES", stock.StockDispatched(order_id="o-1", quantity=4)),
        ("stock-85123A", stock.StockWrittenOff(write_off_id="w", quantity=2, reason="wet")),
        ("stock-BANK CHARGES", stock.StockAdjusted(adjustment_id="a", difference=1, reason="")),
    ).then(
        {
            "BANK CHARGES": StockLevel(
                sku="BANK CHARGES", version=5, on_hand=7, reserved=0, available=7
            ),
            "85123A": StockLevel(sku="85123A", version=0, on_hand=-2, reserved=0, available=-2),
        }
    )


_ids = st.sampled_from(["a", "b", "c"])
_few = st.integers(1, 9)
_commands = st.one_of(
    st.builds(stock.ReceiveStock, receipt_id=_ids, quantity=_few),
    st.builds(stock.ReserveStock, order_id=_ids, quantity=_few),
    st.builds(stock.ReleaseStock, order_id=_ids),
    st.builds(stock.DispatchStock, order_id=_ids),
    st.builds(
        stock.WriteOffStock,
        write_off_id=_ids,
        quantity=_few,
        reason=st.just("wet"),
        from_history=st.booleans(),
    ),
    st.builds(
        stock.AdjustStock,
        adjustment_id=_ids,
        difference=st.integers(-9, 9),
        reason=st.just("counted"),
    ),
)


@LAW
@given(st.lists(_commands, max_size=30))
def test_the_view_of_a_stock_agrees_with_its_aggregate(
    commands: list[stock.StockCommand],
) -> None:
    """After any history, the read model says what the aggregate itself knows."""
    state, history = stock.decider.initial, list[stock.StockEvent]()
    for command in commands:
        try:
            events = stock.decider.decide(command, state)
        except DomainError:
            continue
        history += events
        state = stock.decider.fold(history)

    seen = fold(
        stock_levels, recorded(SHOP.catalogue, (("stock-x", event) for event in history)), {}
    ).get("x")

    view = seen.view if isinstance(seen, Seen) else StockLevel(sku="x")
    assert (view.on_hand, view.available) == (state.on_hand, state.available)
    assert view.reserved == sum(state.reserved.values())


def test_a_projection_names_only_fields_that_there_are() -> None:
    """An index or a detail that the view does not have is refused when it is declared."""

    class Empty(View):
        name: str

    def declared(**fields: tuple[str, ...]) -> None:
        Projection("p", 1, Empty, (), lambda _: (), lambda view, _: view, **fields)  # type: ignore[arg-type]  # one of two fields

    with pytest.raises(ValueError, match="Empty has no field nome"):
        declared(indexed=("nome",))
    with pytest.raises(ValueError, match=r"Empty.name is detail, so it needs a default"):
        declared(detail=("name",))
