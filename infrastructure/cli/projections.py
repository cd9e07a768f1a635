"""``headwater projections``: see how the read models stand, rebuild them, and help them on."""

from typing import Annotated
from uuid import UUID

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done, until_stopped

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
See how the read models stand, rebuild them without downtime, and help them on.

Works on the service that runs in the same home, or on the servers that
are set. What you do is recorded, with your name and reason.
""",
)

Name = Annotated[str, typer.Argument(help="As `list` shows it: `order_summary`.")]
AnyName = Annotated[
    str, typer.Argument(help="A read model, `order_summary`, or one build, `order_summary_v2`.")
]
By = Annotated[
    str | None, typer.Option(help="Who does it; unset: the user of this process.", metavar="NAME")
]
Why = Annotated[str, typer.Option(help="Why, for whoever asks later.", metavar="TEXT")]
Reason = Annotated[str | None, typer.Option(help="Why, for whoever asks later.", metavar="TEXT")]


@app.command("list")
def list_builds(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="As JSON; unknown is null.")] = False,
) -> None:
    """Show how far every build of every read model is. `?` means that nobody knows."""
    with clear_errors():
        from infrastructure.cli import standings

        until_done(standings.print_all(deployed(context), json=json))


@app.command()
def deploy(
    context: typer.Context,
    name: Name,
    accept_differences: Annotated[
        bool, typer.Option("--accept-differences", help="Swap although the views differ.")
    ] = False,
    reason: Reason = None,
    by: By = None,
) -> None:
    """Build it anew beside the live one, compare both, and swap: no question goes unanswered.

    Cut off, it leaves the live one as it was; run again, it goes on where it was.
    """
    with clear_errors():
        from infrastructure.cli import deploying, operating

        note = operating.note(by, reason)
        until_done(deploying.deploy(deployed(context), name, note, accept=accept_differences))


@app.command()
def rollback(context: typer.Context, name: Name, reason: Why, by: By = None) -> None:
    """Let the previous build answer queries again, at once."""
    with clear_errors():
        from infrastructure.cli import operating

        until_done(operating.rollback(deployed(context), name, operating.note(by, reason)))


@app.command()
def drop(context: typer.Context, name: AnyName, reason: Reason = None, by: By = None) -> None:
    """Remove the build that is not live, with its views. There is no rollback to it any more."""
    with clear_errors():
        from infrastructure.cli import operating

        until_done(operating.drop(deployed(context), name, operating.note(by, reason)))


@app.command()
def pause(context: typer.Context, name: AnyName, reason: Why, by: By = None) -> None:
    """Take no more events in until it is resumed. Queries go on, and tell how old they are."""
    with clear_errors():
        from infrastructure.cli import operating

        until_done(operating.pause(deployed(context), name, operating.note(by, reason)))


@app.command()
def resume(context: typer.Context, name: AnyName, reason: Reason = None, by: By = None) -> None:
    """Take events in again."""
    with clear_errors():
        from infrastructure.cli import operating

        until_done(operating.resume(deployed(context), name, operating.note(by, reason)))


@app.command()
def retry(context: typer.Context, name: AnyName, reason: Reason = None, by: By = None) -> None:
    """Try the event again that has stopped it."""
    with clear_errors():
        from infrastructure.cli import operating

        until_done(operating.retry(deployed(context), name, operating.note(by, reason)))


@app.command()
def skip(
    context: typer.Context,
    name: AnyName,
    event_id: Annotated[UUID, typer.Argument(help="The event that has stopped it, as in `list`.")],
    reason: Why,
    by: By = None,
) -> None:
    """Pass by the one event that has stopped it. The next deploy takes every event again."""
    with clear_errors():
        from infrastructure.cli import operating

        until_done(operating.skip(deployed(context), name, event_id, operating.note(by, reason)))


@app.command()
def actions(
    context: typer.Context,
    name: AnyName,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show who did what to it, when and why, newest first."""
    with clear_errors():
        from infrastructure.cli import operating

        until_done(operating.print_actions(deployed(context), name, json=json))


@app.command()
def run(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Read models, as `list` shows them.")],
) -> None:
    """Fill these read models in this process too, as far as no other does. Ctrl-C stops it."""
    with clear_errors():
        from infrastructure.cli import operating

        until_stopped(operating.run(deployed(context), names))
