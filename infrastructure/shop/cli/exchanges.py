"""``headwater exchanges``: goods of an order for others."""

from typing import Annotated

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done
from infrastructure.shop.cli.warehouse import By, Code

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
Exchange goods of an order for others, and record what the warehouse does for it.

A saga carries an exchange out: `headwater sagas show ID` shows how far it is. Works on the service
that runs in the same home, or on the servers that are set.
""",
)

Id = Annotated[str, typer.Argument(help="As `request` and `list` show it.", metavar="EXCHANGE_ID")]


@app.command("list")
def list_exchanges(
    context: typer.Context,
    order: Annotated[str | None, typer.Option(help="Of this order.", metavar="ORDER_ID")] = None,
    status: Annotated[str | None, typer.Option(help="`requested`, `approved` …")] = None,
    after: Annotated[str | None, typer.Option(help="Go on behind this exchange.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, 1 to 500.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="As JSON, as over HTTP.")] = False,
) -> None:
    """Show exchanges by id, page by page. Those that are `approved` wait to be sent."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        question = answers.exchanges(order, status, after, limit)
        until_done(answers.answer(deployed(context), question, json=json))


@app.command()
def request(
    context: typer.Context,
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID")],
    back: Annotated[
        list[str],
        typer.Option(help="What goes back: a line of the order and units.", metavar="LINE,UNITS"),
    ],
    replacement: Annotated[
        list[str],
        typer.Option(
            "--for",
            help='What comes for it, such as "71053,2,3.39 GBP".',
            metavar="SKU,UNITS,PRICE",
        ),
    ],
    by: By = None,
) -> None:
    """Request an exchange. Both options may be given several times."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.request(deployed(context), order_id, back, replacement, by))


@app.command()
def received(context: typer.Context, exchange_id: Id, by: By = None) -> None:
    """Record that the goods have come back."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.received(deployed(context), exchange_id, by))


@app.command()
def dispatch(context: typer.Context, exchange_id: Id, by: By = None) -> None:
    """Record that the replacement has left: the exchange cannot be cancelled any more."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.dispatch(deployed(context), exchange_id, by))


@app.command("hand-over")
def hand_over(context: typer.Context, exchange_id: Id, code: Code = None, by: By = None) -> None:
    """Record that the carrier has the replacement; without a code under that of its booking."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.hand_over(deployed(context), exchange_id, code, by))


@app.command()
def cancel(
    context: typer.Context,
    exchange_id: Id,
    reason: Annotated[str, typer.Option(help="Why: it is shown with the exchange.")],
    by: By = None,
) -> None:
    """Cancel it before the replacement leaves. Goods that came back are a return then."""
    with clear_errors():
        from infrastructure.shop.cli import exchanging

        until_done(exchanging.cancel(deployed(context), exchange_id, reason, by))
