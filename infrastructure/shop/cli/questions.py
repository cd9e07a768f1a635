"""``headwater orders``, ``sales``, ``customers``, ``products``, ``stock``: ask the read models."""

from datetime import datetime
from typing import Annotated, Final

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done

PANEL: Final = "Questions"

After = Annotated[
    str | None, typer.Option(help="Go on behind this; the page before names it.", metavar="KEY")
]
Limit = Annotated[int, typer.Option(help="At most so many, 1 to 500.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, as over HTTP.")]


def add_to(app: typer.Typer) -> None:
    """Make these commands of the command line."""
    for command in (orders, sales, customers, products, stock):
        app.command(rich_help_panel=PANEL)(command)


def orders(
    context: typer.Context,
    order_id: Annotated[str | None, typer.Argument(help="One order, with its lines.")] = None,
    customer: Annotated[str | None, typer.Option(help="Of this customer.")] = None,
    status: Annotated[str | None, typer.Option(help="`placed`, `shipped` …")] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Show orders by id, page by page, or one with its lines."""
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
    country: Annotated[str | None, typer.Option(help="Of this country.")] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Show sales day by day, each country and currency apart."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = answers.sales(
            first.date() if first else None, last.date() if last else None, country, after, limit
        )
        until_done(answers.answer(deployed(context), question, json=json))


def customers(
    context: typer.Context,
    customer_id: Annotated[str | None, typer.Argument(help="One, with all orders.")] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Show customers by id, page by page, or one with all orders."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = answers.customers(customer_id, after, limit)
        until_done(answers.answer(deployed(context), question, json=json))


def products(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="How words of the description, or the code, begin: `hang heart`."),
    ] = None,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Find products, those most sold first."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = answers.products(" ".join(words or []), after, limit)
        until_done(answers.answer(deployed(context), question, json=json))


def stock(
    context: typer.Context,
    sku: Annotated[str, typer.Argument(help="Its code: `85123A`.")],
    json: Json = False,
) -> None:
    """Show how many of a SKU are here, promised and free."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        until_done(answers.answer(deployed(context), answers.stock(sku), json=json))
