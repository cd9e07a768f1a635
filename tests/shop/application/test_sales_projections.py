"""The read models that are made of parts: sales by day, by customer and by product."""

from datetime import timedelta
from typing import Any

from application.shop.read_models.customer_orders import (
    Customer,
    CustomerDocument,
    CustomersOrder,
    customer_orders,
)
from application.shop.read_models.daily_sales import DailySales, daily_sales
from application.shop.read_models.product_search import Product, product_search
from application.shop.service import SHOP
from domain import payments, shipments
from domain.orders import (
    LinesReturned,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    OrderStatus,
    ReturnedLine,
)
from domain.payments import PaymentAuthorised, PaymentCaptured, PaymentRefunded
from domain.shipments import ShipmentBooked, ShipmentHandedOver
from domain.values import Money
from tests.projection_specification import START, ProjectionSpecification, at

sales = ProjectionSpecification(SHOP.catalogue, daily_sales)
customers = ProjectionSpecification(SHOP.catalogue, customer_orders)
products = ProjectionSpecification(SHOP.catalogue, product_search)

TODAY = START.date()


def gbp(amount: str) -> Money:
    return Money.parse(f"{amount} GBP")


def line(sku: str, quantity: int, price: str, description: str | None = None) -> OrderLine:
    return OrderLine(sku=sku, description=description, quantity=quantity, unit_price=gbp(price))


def placed(*lines: OrderLine, customer: str | None = "17850") -> OrderPlaced:
    return OrderPlaced(customer_id=customer, country="France", lines=lines)


def returned(line: int, quantity: int) -> LinesReturned:
    back = ReturnedLine(line=line, quantity=quantity)
    return LinesReturned(return_id=f"r-{line}-{quantity}", lines=(back,))


HEARTS = line("85123A", 6, "2.55", "WHITE HEART")
LANTERN = line("71053", 2, "3.395", "METAL LANTERN")


def the_day(**figures: Any) -> DailySales:
    nothing = {name: gbp("0") for name in ("gross", "returned", "cancelled", "net")}
    return DailySales(day=TODAY, country="France", currency="GBP", **{**nothing, **figures})


def test_a_day_adds_up_its_orders() -> None:
    """Orders of one day, country and currency are one view; money is exact."""
    sales.given(
        ("order-1", placed(HEARTS, LANTERN)), ("order-2", placed(LANTERN, customer=None))
    ).then(
        {f"{TODAY}/France/GBP": the_day(orders=2, units=10, gross=gbp("28.880"), net=gbp("28.880"))}
    )


def test_a_return_counts_on_the_day_of_the_sale() -> None:
    """Goods that come back weeks later change the day on which they were sold, and no other."""
    month = 30 * 24 * 60  # minutes
    sales.given_at(
        (0, "order-1", placed(HEARTS, LANTERN)),
        (month, "order-1", returned(1, 2)),
        (month + 1, "order-1", returned(2, 1)),
    ).then(
        {
            f"{TODAY}/France/GBP": the_day(
                orders=1,
                units=8,
                gross=gbp("22.090"),
                returned_units=3,
                returned=gbp("8.495"),
                net=gbp("13.595"),
            )
        }
    )


def test_a_cancelled_order_is_taken_off() -> None:
    """It stays in the gross figures, and is worth nothing in the net."""
    sales.given(("order-1", placed(HEARTS)), ("order-1", OrderCancelled(reason="too late"))).then(
        {
            f"{TODAY}/France/GBP": the_day(
                orders=1,
                units=6,
                gross=gbp("15.30"),
                cancelled_orders=1,
                cancelled=gbp("15.30"),
                net=gbp("0"),
            )
        }
    )


def test_days_countries_and_currencies_are_apart() -> None:
    """An order without a country is counted under `unknown`."""
    dollars = OrderLine(sku="X", quantity=1, unit_price=Money.parse("1 USD"))
    sales.given_at(
        (0, "order-1", placed(HEARTS)),
        (24 * 60, "order-2", placed(HEARTS)),
        (0, "order-3", OrderPlaced(lines=(HEARTS,))),
        (0, "order-4", placed(dollars)),
    ).then_keys(
        {
            f"{TODAY}/France/GBP",
            f"{TODAY + timedelta(days=1)}/France/GBP",
            f"{TODAY}/unknown/GBP",
            f"{TODAY}/France/USD",
        }
    )


def documents(*orders: CustomersOrder, **figures: Any) -> dict[str, CustomerDocument]:
    """Of a customer with these orders, and of each order."""
    customer = Customer(
        customer_id="17850",
        order_count=len(orders),
        first_order=orders[0].placed_at,
        last_order=orders[-1].placed_at,
        **figures,
    )
    of_orders = {
        f"order/17850/{order.placed_at:%Y-%m-%dT%H:%M:%S.%f}/{order.order_id}": CustomerDocument(
            order=order
        )
        for order in orders
    }
    return {"customer/17850": CustomerDocument(customer=customer), **of_orders}


def an_order(id: str, minute: int, **figures: Any) -> CustomersOrder:
    known: dict[str, Any] = {
        "order_id": id,
        "placed_at": at(minute),
        "status": OrderStatus.PLACED,
        "country": "France",
        "units": 6,
        "total": gbp("15.30"),
        "returned": gbp("0"),
        "payment": None,
        "refunded": False,
        "shipment": None,
    }
    return CustomersOrder(**{**known, **figures})


def test_a_customer_has_a_document_and_one_for_each_order() -> None:
    """The customer's has sums over all orders, also of what came back."""
    customers.given(
        ("order-1", placed(HEARTS)), ("order-2", placed(HEARTS)), ("order-2", returned(1, 1))
    ).then(
        documents(
            an_order("1", 0),
            an_order("2", 1, returned=gbp("2.55")),
            units=12,
            totals=(gbp("30.60"),),
            returned=(gbp("2.55"),),
        )
    )


def test_payment_and_shipment_may_be_known_before_the_order() -> None:
    """Three streams, in whatever order they come, make one customer."""
    amount = gbp("15.30")
    history = [
        ("payment-1", PaymentAuthorised(order_id="1", amount=amount)),
        ("payment-1", PaymentCaptured(amount=amount)),
        ("shipment-1", ShipmentBooked(order_id="1", carrier="post")),
        ("shipment-1", ShipmentHandedOver(tracking_code="t-1")),
        ("payment-1", PaymentRefunded(refund_id="f-1", amount=gbp("1"))),
    ]
    for place in range(len(history) + 1):
        customers.given(*history[:place], ("order-1", placed(HEARTS)), *history[place:]).then(
            documents(
                an_order(
                    "1",
                    place,
                    payment=payments.PaymentStatus.CAPTURED,
                    refunded=True,
                    shipment=shipments.ShipmentStatus.HANDED_OVER,
                ),
                units=6,
                totals=(amount,),
                returned=(gbp("0"),),
            )
        )


def test_a_guest_has_no_document() -> None:
    """What nobody's order is belongs to nobody."""
    customers.given(("order-1", placed(HEARTS, customer=None))).then({})


def test_a_product_adds_up_all_its_lines() -> None:
    """Two lines of one order are one order; all descriptions are kept, the latest first."""
    products.given(
        ("order-1", placed(HEARTS, line("85123A", 1, "2.95", "CREAM HEART"))),
        ("order-2", placed(line("85123A", 2, "2.55", "WRONG CODE?"))),
    ).then(
        {
            "85123A": Product(
                sku="85123A",
                descriptions=("WRONG CODE?", "WHITE HEART", "CREAM HEART"),
                orders=2,
                units_sold=9,
                units_kept=9,
                revenue=(gbp("23.35"),),
                first_sold=TODAY,
                last_sold=TODAY,
            )
        }
    )


def test_what_came_back_or_was_cancelled_was_not_sold() -> None:
    """Returns are taken off the line's own product; a cancelled order counts nowhere."""
    products.given(
        ("order-1", placed(HEARTS, LANTERN)),
        ("order-1", returned(1, 5)),
        ("order-2", placed(LANTERN)),
        ("order-2", OrderCancelled(reason="too late")),
    ).then(
        {
            "85123A": Product(
                sku="85123A",
                descriptions=("WHITE HEART",),
                orders=1,
                units_sold=6,
                units_returned=5,
                units_kept=1,
                revenue=(gbp("2.55"),),
                first_sold=TODAY,
                last_sold=TODAY,
            ),
            "71053": Product(
                sku="71053",
                descriptions=("METAL LANTERN",),
                orders=1,
                units_sold=2,
                units_kept=2,
                revenue=(gbp("6.790"),),
                first_sold=TODAY,
                last_sold=TODAY,
            ),
        }
    )


def test_what_a_product_shows_does_not_depend_on_what_came_together() -> None:
    """Placed and cancelled at once, or one after the other: the same sums, the same order."""
    products.given(
        ("order-1", placed(line("71053", 1, "3.395", "LANTERN"))),
        ("order-2", placed(line("71053", 2, "3.395", "METAL LANTERN"))),
        ("order-1", OrderCancelled(reason="too late")),
        ("order-2", OrderCancelled(reason="too late")),
    ).then(
        {
            "71053": Product(
                sku="71053",
                descriptions=("METAL LANTERN", "LANTERN"),
                revenue=(gbp("0.000"),),
                first_sold=TODAY,
                last_sold=TODAY,
            )
        }
    )
