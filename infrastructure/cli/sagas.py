"""``headwater sagas``: see how sagas stand, and what became of one; help on what cannot go on."""

from typing import Annotated

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
See how sagas stand, look at one, and help on what cannot go on by itself.

Works on the service that runs in the same home, or on the servers that
are set. What you want of a saga is recorded in its stream, with your name and reason; a
running service then does it.
""",
)

Id = Annotated[str, typer.Argument(help="As `list` shows it: the id of its order.", metavar="ID")]
By = Annotated[
    str | None, typer.Option(help="Who wants it; unset: the user of this process.", metavar="NAME")
]
Why = Annotated[str, typer.Option(help="Why, for whoever asks later.", metavar="TEXT")]


@app.command("list")
def list_sagas(
    context: typer.Context,
    status: Annotated[
        str,
        typer.Option(
            help="`open`: at work, or failed. `stuck`: its step fails and fails, or it is "
            "overdue. `overdue`: nobody has seen to it. Or `running`, `compensating`, "
            "`completed`, `compensated`, `failed`, `resolved`, `all`."
        ),
    ] = "open",
    after: Annotated[
        str | None,
        typer.Option(help="Go on behind this one; the page before names it.", metavar="ID"),
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many, 1 to 500.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="As JSON; unknown is null.")] = False,
) -> None:
    """Show sagas by age, the oldest first."""
    with clear_errors():
        from infrastructure.cli import saga_list

        until_done(saga_list.print_sagas(deployed(context), status, after, limit, json=json))


@app.command()
def show(
    context: typer.Context,
    id: Id,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell what became of a saga, step by step, and what it waits for now."""
    with clear_errors():
        from infrastructure.cli import saga_timeline

        until_done(saga_timeline.print_saga(deployed(context), id, json=json))


@app.command()
def retry(context: typer.Context, id: Id, reason: Why, by: By = None) -> None:
    """Let it try again at once what it waits for, or failed at."""
    with clear_errors():
        from infrastructure.cli import saga_wishes

        until_done(saga_wishes.retry(deployed(context), id, by, reason))


@app.command()
def compensate(context: typer.Context, id: Id, reason: Why, by: By = None) -> None:
    """Let it undo all that it has done, last in, first out."""
    with clear_errors():
        from infrastructure.cli import saga_wishes

        until_done(saga_wishes.compensate(deployed(context), id, by, reason))


@app.command()
def resolve(context: typer.Context, id: Id, reason: Why, by: By = None) -> None:
    """Close one that failed: you have seen to it by other means."""
    with clear_errors():
        from infrastructure.cli import saga_wishes

        until_done(saga_wishes.resolve(deployed(context), id, by, reason))
