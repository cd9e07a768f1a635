"""``headwater warehouse``: the pick list, and what is recorded of parcels."""

from typing import Annotated

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
Show the pick list, and record that parcels left, arrived, or were lost.

A parcel has the id of its order. Works on the service that runs in the same home, or on
the servers that are set. Repeating a command changes nothing.
""",
)

OrderArgument = Annotated[str, typer.Argument(help="As `picks` shows it.", metavar="ORDER_ID")]
Code = Annotated[
    str | None,
    typer.Option("--tracking-code", metavar="CODE", help="The carrier's; unset: as it was booked."),
]
By = Annotated[
    str | None, typer.Option(help="Your name; unset: the user of this process.", metavar="NAME")
]


@app.command()
def picks(
    context: typer.Context,
    after: Annotated[
        str | None, typer.Option(help="Start after this order.", metavar="ORDER_ID")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most this many, 1 to 500.")] = 20,
    json: Annotated[
        bool, typer.Option("--json", help="As JSON, in the form of the HTTP API.")
    ] = False,
) -> None:
    """List the orders to pick, with their goods."""
    with clear_errors():
        from infrastructure.shop.cli import answers

        until_done(answers.answer(deployed(context), answers.picks(after, limit), json=json))


@app.command()
def dispatch(context: typer.Context, order_id: OrderArgument, by: By = None) -> None:
    """Record that the goods have left the shelf. The order cannot be cancelled after that."""
    with clear_errors():
        from infrastructure.shop.cli import parcels

        until_done(parcels.dispatch(deployed(context), order_id, by))


@app.command("hand-over")
def hand_over(
    context: typer.Context, order_id: OrderArgument, code: Code = None, by: By = None
) -> None:
    """Record that the carrier has the parcel."""
    with clear_errors():
        from infrastructure.shop.cli import parcels

        until_done(parcels.hand_over(deployed(context), order_id, code, by))


@app.command()
def delivered(
    context: typer.Context, order_id: OrderArgument, code: Code = None, by: By = None
) -> None:
    """Record that the parcel has arrived."""
    with clear_errors():
        from infrastructure.shop.cli import parcels

        until_done(parcels.delivered(deployed(context), order_id, code, by))


@app.command()
def failed(
    context: typer.Context,
    order_id: OrderArgument,
    reason: Annotated[str, typer.Option(help="Why, such as: lost, refused at the door.")],
    code: Code = None,
    by: By = None,
) -> None:
    """Record that the parcel will not arrive."""
    with clear_errors():
        from infrastructure.shop.cli import parcels

        until_done(parcels.failed(deployed(context), order_id, reason, code, by))
