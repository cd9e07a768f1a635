"""``headwater sagas``: lists sagas, shows one, and gives commands to one that is stuck."""

from typing import Annotated

import typer

from infrastructure.cli.list_options import After, Limit, OldestFirst, Since, Until, within
from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
List sagas, show one, and give commands to one that cannot continue by itself.

Works on the service that runs in the same home, or on the servers that are set. A command
is recorded in the saga's stream, with your name and reason; a running service then carries
it out.
""",
)

Id = Annotated[
    str,
    typer.Argument(
        help="As `list` shows it, such as `money_transfer-536365`. The id alone, `536365`, is "
        "enough where only one saga has it.",
        metavar="ID",
    ),
]
OfSaga = Annotated[
    str | None, typer.Option("--saga", help="Only the saga of this name.", metavar="NAME")
]
By = Annotated[
    str | None,
    typer.Option(help="Your name; unset: the user of this process.", metavar="NAME"),
]
Why = Annotated[str, typer.Option(help="Why; it is shown with the saga.", metavar="TEXT")]


@app.command("list")
def list_sagas(
    context: typer.Context,
    status: Annotated[
        str,
        typer.Option(
            help="`open`: at work, or failed. `waiting`: for an event, or a moment. `stuck`: its "
            "step keeps failing, or it is overdue. `overdue`: it should have moved a minute ago. "
            "Or `running`, `compensating`, "
            "`completed`, `compensated`, `failed`, `resolved`, `all`."
        ),
    ] = "open",
    saga: OfSaga = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    after: After = None,
    limit: Limit = 20,
    json: Annotated[bool, typer.Option("--json", help="As JSON; unknown is null.")] = False,
) -> None:
    """List sagas by the time of their start, newest first."""
    with clear_errors():
        from infrastructure.cli import saga_list

        wanted = saga_list.Wanted(status, saga, within(since, until), oldest_first=oldest_first)
        until_done(saga_list.print_sagas(deployed(context), wanted, after, limit, json=json))


@app.command()
def show(
    context: typer.Context,
    id: Id,
    saga: OfSaga = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show a saga step by step, and what it waits for now."""
    with clear_errors():
        from infrastructure.cli import saga_commands, saga_timeline

        which = saga_commands.Which(id, saga)
        until_done(saga_timeline.print_saga(deployed(context), which, json=json))


@app.command()
def retry(context: typer.Context, id: Id, reason: Why, saga: OfSaga = None, by: By = None) -> None:
    """Retry the failed step at once."""
    with clear_errors():
        from infrastructure.cli import saga_commands

        which = saga_commands.Which(id, saga)
        until_done(saga_commands.retry(deployed(context), which, by, reason))


@app.command()
def compensate(
    context: typer.Context, id: Id, reason: Why, saga: OfSaga = None, by: By = None
) -> None:
    """Undo everything that the saga has done, last step first."""
    with clear_errors():
        from infrastructure.cli import saga_commands

        which = saga_commands.Which(id, saga)
        until_done(saga_commands.compensate(deployed(context), which, by, reason))


@app.command()
def resolve(
    context: typer.Context, id: Id, reason: Why, saga: OfSaga = None, by: By = None
) -> None:
    """Close a failed saga that you have settled by other means."""
    with clear_errors():
        from infrastructure.cli import saga_commands

        which = saga_commands.Which(id, saga)
        until_done(saga_commands.resolve(deployed(context), which, by, reason))
