"""``headwater orders``, ``sales``, ``customers``, ``products``, ``stock``: queries."""

from typing import Annotated, Final

import typer

from application.time_range import EVER
from infrastructure.cli.list_options import (
    After,
    Limit,
    Since,
    Until,
    since_option,
    until_option,
    within,
)
from infrastructure.cli.process import UsageError, clear_errors, deployed, until_done

SinceOrFrom = Annotated[str | None, since_option("--from")]
UntilOrTo = Annotated[str | None, until_option("--to")]
PANEL: Final = "Queries"

Json = Annotated[bool, typer.Option("--json", help="As JSON, in the form of the HTTP API.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (orders, order, sales, customers, products, stock):
        app.command(rich_help_panel=PANEL)(command)


def orders(
    context: typer.Context,
    order_id: Annotated[str | None, typer.Argument(help="Only this order, with its lines.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only of this customer.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only with this status: `placed`, `shipped` …")
    ] = None,
    since: SinceOrFrom = None,
    until: UntilOrTo = None,
    country: Annotated[str | None, typer.Option(help="Only of this country.")] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List orders, newest first, with what they come to; or show one with its lines."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = (
            answers.order(order_id)
            if order_id is not None
            else answers.orders(
                status, within(since, until), country, customer, after=after, limit=limit
            )
        )
        until_done(answers.answer(deployed(context), question, json=json))


def order(
    context: typer.Context,
    order_id: Annotated[str, typer.Argument(help="Such as `536365`.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON document, with changes.")] = False,
) -> None:
    """Show all that happened around an order: events of all its streams, and steps of sagas.

    Its payment, parcel, returns and exchanges are in it. `history` shows one of its streams as it
    was at a version.
    """
    with clear_errors():
        from infrastructure.shop.cli.story import print_story

        until_done(print_story(deployed(context), order_id, json=json))


def sales(
    context: typer.Context,
    since: SinceOrFrom = None,
    until: UntilOrTo = None,
    country: Annotated[str | None, typer.Option(help="Only of this country.")] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List the sales of each day, by country and currency, the newest day first."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = answers.sales(within(since, until), country, after, limit)
        until_done(answers.answer(deployed(context), question, json=json))


def customers(
    context: typer.Context,
    customer_id: Annotated[str | None, typer.Argument(help="Only this customer.")] = None,
    orders: Annotated[
        bool, typer.Option("--orders", help="The orders of this customer, newest first.")
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
    since: Since = None,
    until: Until = None,
    country: Annotated[str | None, typer.Option(help="Only sold to this country.")] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List products, most sold first: of all time, or of the orders of a time or a country.

    Found by words of their description or by SKU; then of all time.
    """
    with clear_errors():
        from infrastructure.shop.cli import answers

        placed = within(since, until)
        if placed == EVER and country is None:
            question = answers.products(" ".join(words or []), after, limit)
        elif words:
            raise UsageError("words find products of all time: leave out the time and the country")
        else:
            question = answers.best_products(placed, country, after, limit)
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
