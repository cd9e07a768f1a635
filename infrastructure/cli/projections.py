"""``headwater projections``: list the builds of read models, rebuild them, unblock them."""

from typing import Annotated
from uuid import UUID

import typer

from infrastructure.cli.list_options import Watch
from infrastructure.cli.process import clear_errors, deployed, until_done, until_stopped

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
List the builds of read models, rebuild them without downtime, and unblock them.

Works on the service that runs in the same home, or on the servers that are set.
Each action is recorded with your name and reason.
""",
)

Name = Annotated[str, typer.Argument(help="As `list` shows it: `order_summary`.")]
AnyName = Annotated[
    str, typer.Argument(help="A read model, `order_summary`, or one build, `order_summary_v2`.")
]
By = Annotated[
    str | None, typer.Option(help="Your name; unset: the user of this process.", metavar="NAME")
]
Why = Annotated[str, typer.Option(help="Why; it is recorded.", metavar="TEXT")]
Reason = Annotated[str | None, typer.Option(help="Why; it is recorded.", metavar="TEXT")]


@app.command("list")
def list_builds(
    context: typer.Context,
    watch: Watch = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON; unknown is null.")] = False,
) -> None:
    """Show every build of every read model: its role, status, lag, rate and time to catch up.

    `?` means unknown. `--watch` ends when all have caught up; or with exit code 1, when one cannot:
    it has failed, is paused, or no process fills it.
    """
    with clear_errors():
        from infrastructure.cli import standings

        shown = standings.watch_all if watch else standings.print_all
        until_done(shown(deployed(context), json=json))


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
    """Fill a new build beside the live one, compare both, and swap them, without downtime.

    If it is interrupted, the live build stays as it was. Run it again to continue.
    """
    with clear_errors():
        from infrastructure.cli.deploying import deploy

        until_done(deploy(deployed(context), name, by, reason, accept=accept_differences))


@app.command()
def rollback(context: typer.Context, name: Name, reason: Why, by: By = None) -> None:
    """Make the previous build answer queries again, at once."""
    with clear_errors():
        from application.projections.operating import What
        from infrastructure.cli.operating import act

        until_done(act(deployed(context), What.ROLLBACK, name, by, reason))


@app.command()
def drop(context: typer.Context, name: AnyName, reason: Reason = None, by: By = None) -> None:
    """Delete the build that is not live, and its views. A rollback to it is not possible then."""
    with clear_errors():
        from application.projections.operating import What
        from infrastructure.cli.operating import act

        until_done(act(deployed(context), What.DROP, name, by, reason))


@app.command()
def pause(context: typer.Context, name: AnyName, reason: Why, by: By = None) -> None:
    """Stop handling events until `resume`. Queries still answer, with their lag."""
    with clear_errors():
        from application.projections.operating import What
        from infrastructure.cli.operating import act

        until_done(act(deployed(context), What.PAUSE, name, by, reason))


@app.command()
def resume(context: typer.Context, name: AnyName, reason: Reason = None, by: By = None) -> None:
    """Handle events again after `pause`."""
    with clear_errors():
        from application.projections.operating import What
        from infrastructure.cli.operating import act

        until_done(act(deployed(context), What.RESUME, name, by, reason))


@app.command()
def retry(context: typer.Context, name: AnyName, reason: Reason = None, by: By = None) -> None:
    """Handle the event that stopped it again."""
    with clear_errors():
        from application.projections.operating import What
        from infrastructure.cli.operating import act

        until_done(act(deployed(context), What.RETRY, name, by, reason))


@app.command()
def skip(
    context: typer.Context,
    name: AnyName,
    event_id: Annotated[
        UUID, typer.Argument(help="The event that stopped it, as `list` shows it.")
    ],
    reason: Why,
    by: By = None,
) -> None:
    """Skip the event that stopped it. The next `deploy` handles every event again."""
    with clear_errors():
        from application.projections.operating import What
        from infrastructure.cli.operating import act

        until_done(act(deployed(context), What.SKIP, name, by, reason, event_id))


@app.command()
def actions(
    context: typer.Context,
    name: AnyName,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the operator actions on a read model, newest first: when, by whom, what, why."""
    with clear_errors():
        from infrastructure.cli import operating

        until_done(operating.print_actions(deployed(context), name, json=json))


@app.command()
def run(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Read models, as `list` shows them.")],
) -> None:
    """Fill these read models in this process, as far as no other process does. Ctrl-C stops it."""
    with clear_errors():
        from infrastructure.cli import operating

        until_stopped(operating.run(deployed(context), names))
