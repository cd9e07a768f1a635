"""Orders to look through: newest first, filtered, page by page, with exact totals."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from application.ports import Seen
from application.shop.listing import OrderSum, WantedOrders, newest_orders, order_sums
from application.shop.read_models.orders_by_date import ListedOrder, key_of, orders_by_date
from application.shop.service import SHOP
from application.time_range import TimeRange, time_range
from domain.orders import (
    LinesReturned,
    OrderCancelled,
    OrderConfirmed,
    OrderLine,
    OrderPlaced,
    OrderStatus,
    ReturnedLine,
)
from domain.values import Money
from infrastructure import memory
from tests.projection_specification import START, ProjectionSpecification, at

HEART = OrderLine(sku="85123A", quantity=6, unit_price=Money.parse("2.55 GBP"))
ROSE = OrderLine(sku="ROSE", quantity=1, unit_price=Money.parse("0.1 EUR"))
listed = ProjectionSpecification(SHOP.catalogue, orders_by_date)


def placed(line: OrderLine = HEART, **fields: object) -> OrderPlaced:
    return OrderPlaced(lines=(line,), **{"customer_id": "ann", "country": "France", **fields})


def row(number: int, minute: int, **fields: object) -> ListedOrder:
    given = {
        "status": OrderStatus.PLACED,
        "customer_id": "ann",
        "country": "France",
        "currency": "GBP",
        "units": 6,
        "total": Money.parse("15.30 GBP"),
        **fields,
    }
    return ListedOrder(order_id=f"o-{number}", placed_at=at(minute), **given)


def test_an_order_is_listed_under_its_time_with_how_it_stands() -> None:
    """Status and returned units follow its events; the key stays."""
    listed.given(
        ("order-o-1", placed()),
        ("order-o-1", OrderConfirmed()),
        (
            "order-o-1",
            LinesReturned(return_id="r", lines=(ReturnedLine(line=1, quantity=2),)),
        ),
        ("order-o-2", placed(country=None, customer_id=None)),
        ("order-o-2", OrderCancelled(reason="dear")),
    ).then(
        {
            key_of(at(0), "o-1"): row(1, 0, status=OrderStatus.CONFIRMED, returned_units=2),
            key_of(at(3), "o-2"): row(
                2, 3, status=OrderStatus.CANCELLED, country="unknown", customer_id=None
            ),
        }
    )


def test_keys_put_the_newest_first() -> None:
    """Over all times that there are, and within one moment by id."""
    times = [datetime.min.replace(tzinfo=UTC), START, START + timedelta(microseconds=1)]
    keys = [key_of(time, "o") for time in (*times, datetime.max.replace(tzinfo=UTC))]
    assert keys == sorted(keys, reverse=True)
    assert key_of(START) < key_of(START, "a") < key_of(START, "b")


@pytest.fixture
async def views() -> memory.Views[ListedOrder]:
    """One order a day from the 1st to the 6th; the last in euros, of bob; the second cancelled."""
    views = memory.Views(orders_by_date)
    rows = [row(number, (number - 1) * 24 * 60) for number in range(1, 6)]
    rows[1] = rows[1].model_copy(update={"status": OrderStatus.CANCELLED})
    rows.append(
        row(6, 5 * 24 * 60, customer_id="bob", country="Spain", currency="EUR").model_copy(
            update={"total": Money.parse("0.1 EUR"), "units": 1}
        )
    )
    changed = {key_of(one.placed_at, one.order_id): Seen(one, at) for at, one in enumerate(rows)}
    await views.save(changed, checkpoint=900, expected=None)
    return views


def ids(orders: Sequence[ListedOrder]) -> str:
    return "".join(order.order_id[-1] for order in orders)


async def test_pages_go_from_the_newest_to_the_oldest(views: memory.Views[ListedOrder]) -> None:
    """Each order once; the last page leads nowhere."""
    first = await newest_orders(views, limit=4)
    rest = await newest_orders(views, after=first.after, limit=4)
    assert (ids(first.orders), ids(rest.orders), rest.after) == ("6543", "21", None)


def placed_in(since: str | None, until: str | None) -> TimeRange:
    return time_range(since, until, START)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"status": OrderStatus.CANCELLED}, "2"),
        ({"country": "France", "customer_id": "ann"}, "54321"),
        ({"placed": placed_in("2026-01-05", None)}, "65"),
        ({"placed": placed_in(None, "2026-01-02")}, "21"),
        ({"placed": placed_in("2026-01-02", "2026-01-03")}, "32"),
        ({"placed": placed_in("2026-01-01", "2026-01-01")}, "1"),
        ({"placed": placed_in("0001-01-01", "9999-12-31")}, "654321"),
        ({"placed": placed_in(None, "0001-01-01T00:00Z")}, ""),
        ({"placed": placed_in("9999-12-31", None)}, ""),
        ({"country": "Atlantis"}, ""),
    ],
)
async def test_filters_hold_for_the_list_and_for_its_sums(
    views: memory.Views[ListedOrder], wanted: dict[str, object], found: str
) -> None:
    """Any of them, together; the sums are of all that is found, not of the page."""
    which = WantedOrders(**wanted)  # type: ignore[arg-type] # as a form gives them
    page = await newest_orders(views, which, limit=1)
    assert ids(page.orders) == found[:1]
    assert ids((await newest_orders(views, which)).orders) == found
    assert sum(one.orders for one in await order_sums(views, which)) == len(found)


async def test_sums_are_exact_and_by_currency(views: memory.Views[ListedOrder]) -> None:
    """Pounds and euros are never added."""
    assert await order_sums(views) == [
        OrderSum(1, 1, Money.parse("0.1 EUR")),
        OrderSum(5, 30, Money.parse("76.50 GBP")),
    ]


async def test_what_cannot_be_a_page_is_refused(views: memory.Views[ListedOrder]) -> None:
    """A limit, a place: named, with what would be right."""
    with pytest.raises(ValueError, match="limit is 501, it has to be 1 to 500"):
        await newest_orders(views, limit=501)
    with pytest.raises(ValueError, match="after is '536365': use the one"):
        await newest_orders(views, after="536365")
