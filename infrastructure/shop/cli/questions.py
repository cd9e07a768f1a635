"""``headwater orders``, ``sales``, ``customers``, ``products``, ``stock``: queries."""

from datetime import datetime
from typing import Annotated, Final

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done

PANEL: Final = "Queries"

After = Annotated[
    str | None, typer.Option(help="Start after this key; each page ends with it.", metavar="KEY")
]
Limit = Annotated[int, typer.Option(help="At most this many, 1 to 500.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, in the form of the HTTP API.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (orders, sales, customers, products, stock):
        app.command(rich_help_panel=PANEL)(command)


def orders(
    context: typer.Context,
    order_id: Annotated[str | None, typer.Argument(help="Only this order, with its lines.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only of this customer.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only with this status: `placed`, `shipped` …")
    ] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List orders by id, page by page, or show one with its lines."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = answers.orders(order_id, customer, status, after, limit)
        until_done(answers.answer(deployed(context), question, json=json))


def sales(
    context: typer.Context,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The first day."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The last day."),
    ] = None,
    country: Annotated[str | None, typer.Option(help="Only of this country.")] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List the sales of each day, by country and currency."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = answers.sales(
            first.date() if first else None, last.date() if last else None, country, after, limit
        )
        until_done(answers.answer(deployed(context), question, json=json))


def customers(
    context: typer.Context,
    customer_id: Annotated[str | None, typer.Argument(help="Only this customer.")] = None,
    orders: Annotated[
        bool, typer.Option("--orders", help="The orders of this customer, the oldest first.")
    ] = False,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List customers by id, page by page, or show one, or the orders of one."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        asked = answers.customers_orders if orders else answers.customers
        question = asked(customer_id, after, limit)
        until_done(answers.answer(deployed(context), question, json=json))


def products(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="The first letters of words or of a SKU: `hang heart`."),
    ] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Find products by words of their description or by SKU, most sold first."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = answers.products(" ".join(words or []), after, limit)
        until_done(answers.answer(deployed(context), question, json=json))


def stock(
    context: typer.Context,
    sku: Annotated[str, typer.Argument(help="Such as `85123A`.")],
    json: Json = False,
) -> None:
    """Show the stock of a SKU: units on hand, reserved and available."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        until_done(answers.answer(deployed(context), answers.stock(sku), json=json))
