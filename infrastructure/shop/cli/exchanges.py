"""``headwater exchanges``: exchange goods of an order for other goods."""

from typing import Annotated

import typer

from infrastructure.cli.list_options import After, Limit, Since, Until, within
from infrastructure.cli.process import clear_errors, deployed, until_done
from infrastructure.shop.cli.warehouse import By, Code

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
Exchange goods of an order for other goods, and record what the warehouse does.

A saga carries each exchange out: `headwater sagas show ID` shows its progress. Works on the service
that runs in the same home, or on the servers that are set.
""",
)

Id = Annotated[str, typer.Argument(help="As `request` and `list` show it.", metavar="EXCHANGE_ID")]


@app.command("list")
def list_exchanges(
    context: typer.Context,
    order: Annotated[
        str | None, typer.Option(help="Only of this order.", metavar="ORDER_ID")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Only with this status: `requested`, `approved` …")
    ] = None,
    since: Since = None,
    until: Until = None,
    after: After = None,
    limit: Limit = 20,
    json: Annotated[
        bool, typer.Option("--json", help="As JSON, in the form of the HTTP API.")
    ] = False,
) -> None:
    """List exchanges, the newest first. The replacement of an `approved` one can be sent."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        requested = within(since, until)
        question = answers.exchanges(order, status, requested, after=after, limit=limit)
        until_done(answers.answer(deployed(context), question, json=json))


@app.command()
def request(
    context: typer.Context,
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID")],
    back: Annotated[
        list[str],
        typer.Option(help="Goods to return: a line of the order, units.", metavar="LINE,UNITS"),
    ],
    replacement: Annotated[
        list[str],
        typer.Option(
            "--for",
            help='A replacement, such as "71053,2,3.39 GBP".',
            metavar="SKU,UNITS,PRICE",
        ),
    ],
    by: By = None,
) -> None:
    """Request an exchange. `--back` and `--for` may be repeated."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.request(deployed(context), order_id, back, replacement, by))


@app.command()
def received(context: typer.Context, exchange_id: Id, by: By = None) -> None:
    """Record that the goods to return have arrived."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.received(deployed(context), exchange_id, by))


@app.command()
def dispatch(context: typer.Context, exchange_id: Id, by: By = None) -> None:
    """Record that the replacement has left. The exchange cannot be cancelled after that."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.dispatch(deployed(context), exchange_id, by))


@app.command("hand-over")
def hand_over(context: typer.Context, exchange_id: Id, code: Code = None, by: By = None) -> None:
    """Record that the carrier has the replacement."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.hand_over(deployed(context), exchange_id, code, by))


@app.command()
def cancel(
    context: typer.Context,
    exchange_id: Id,
    reason: Annotated[str, typer.Option(help="Why; it is shown with the exchange.")],
    by: By = None,
) -> None:
    """Cancel an exchange before its replacement leaves. Goods that have arrived become a return."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.cancel(deployed(context), exchange_id, reason, by))
