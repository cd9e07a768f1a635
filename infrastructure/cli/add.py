"""``headwater add``: pages of a new part of the service, in its checkout."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from infrastructure.cli.printing import say, say_file
from infrastructure.cli.process import clear_errors, program, typed

if TYPE_CHECKING:
    from infrastructure.cli.adding.checkout import Draft
    from infrastructure.cli.adding.existing import Existing

app = typer.Typer(
    no_args_is_help=True,
    help="Write the pages of a new part of the service: its code, its tests, and its line in each "
    "table. Use it in the checkout of the service, with `--dry-run` first.",
)

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Write nothing: print the changes, as a patch.")
]


@app.command()
def aggregate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name, one of them: `order_line`.")],
    plural: Annotated[
        str | None, typer.Option(help="Several of them; unset: by the rules of English.")
    ] = None,
    command: Annotated[
        list[str] | None,
        typer.Option(
            help="A command with its fields, and the event that it leads to: "
            "`Issue(total: Money) -> Issued`. The first begins a stream, the last of several ends "
            "it. Types are Id, Name, Text, Money, int and bool. Unset: open, confirm and cancel.",
        ),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Add an aggregate: its events, state, commands and rules, with tests and samples."""

    def drafted(existing: "Existing") -> "Draft":
        from infrastructure.cli.adding import aggregate

        return aggregate.draft(existing, name, plural, command or ())

    _add(context, drafted, dry_run)


@app.command()
def read_model(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name: `open_cases`.")],
    follows: Annotated[
        list[str], typer.Option(help="An aggregate whose events it takes in. Can be repeated.")
    ],
    view: Annotated[
        str | None, typer.Option(help="The class of its views; unset: as the read model.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Add a read model: one view for each id, with a status for each event."""

    def drafted(existing: "Existing") -> "Draft":
        from infrastructure.cli.adding import read_model

        return read_model.draft(existing, name, follows, view)

    _add(context, drafted, dry_run)


@app.command()
def saga(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name: `case_review`.")],
    starts: Annotated[str, typer.Option(help="The event that starts it: `TicketIssued`.")],
    cancels: Annotated[
        str, typer.Option(help="The event of the same aggregate that has all undone.")
    ],
    step: Annotated[
        list[str],
        typer.Option(
            help="The command that a step gives, and the one that undoes it, if there is one: "
            "`ReserveSeat/ReleaseSeat`. Can be repeated."
        ),
    ],
    undo: Annotated[
        str | None,
        typer.Option(help="The command that undoes what has started it: `CancelTicket`."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Add a saga: its steps and what undoes them, with recorded histories."""

    def drafted(existing: "Existing") -> "Draft":
        from infrastructure.cli.adding import saga

        return saga.draft(existing, name, starts, cancels, step, undo)

    _add(context, drafted, dry_run)


@app.command()
def route(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its path: `cases` for `/cases`.")],
    aggregate: Annotated[
        str | None,
        typer.Option(help="Its commands get routes; unset: the aggregate of that name."),
    ] = None,
    read_model: Annotated[
        str | None, typer.Option(help="Its views can be asked for; unset: one of that aggregate.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Add routes: a command each for an aggregate, and the queries of a read model."""

    def drafted(existing: "Existing") -> "Draft":
        from infrastructure.cli.adding import route

        return route.draft(existing, name, aggregate, read_model)

    _add(context, drafted, dry_run)


def _add(context: typer.Context, drafted: Callable[["Existing"], "Draft"], dry_run: bool) -> None:
    with clear_errors():
        from infrastructure.cli.adding.checkout import Checkout
        from infrastructure.cli.adding.existing import Existing
        from infrastructure.cli.adding.settling import difference, put_in_place, settled

        checkout = Checkout.of_this_process()
        files = settled(drafted(Existing(program(context).service, checkout)))
        if dry_run:
            say_file(difference(checkout, files))
            say("Nothing was written: run the command without --dry-run.", err=True)
            return
        new = {path for path in files if not (checkout.root / path).exists()}
        put_in_place(checkout, files)
        for path in files:
            say(f"{'new' if path in new else 'changed':<8}{path}")
        say(f"Change the new pages as you need them, then: make check && {typed('run')}")
