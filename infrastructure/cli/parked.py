"""``headwater parked``: list parked events, replay them, or discard them."""

from typing import Annotated
from uuid import UUID

import typer

from infrastructure.cli.list_options import Since, Until, within
from infrastructure.cli.process import clear_errors, deployed, finite, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
List the events that could not be handled, replay them, or discard them.

Works on the service that runs in the same home, or on the servers that are set. A command
is recorded with your name; a running service then carries it out.
""",
)

EventId = Annotated[UUID, typer.Argument(help="As `list` shows it.", metavar="EVENT_ID")]
Group = Annotated[str | None, typer.Option(help="Only of this consumer group.", metavar="NAME")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
By = Annotated[
    str | None, typer.Option(help="Your name; unset: the user of this process.", metavar="NAME")
]


@app.command("list")
def list_parked(
    context: typer.Context,
    group: Group = None,
    status: Annotated[
        str,
        typer.Option(
            help="`first`: the first of each stream, which is `failed` or `ready`. `failed`: an "
            "operator has to replay or discard it. `ready`: its group handles it again next. "
            "`waiting`: for those of its stream that come before it. Or `all`."
        ),
    ] = "first",
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """List the parked events, newest first, and how many events wait behind each."""
    with clear_errors():
        from infrastructure.cli import parked_events

        parked = within(since, until)
        until_done(parked_events.print_parked(deployed(context), group, status, parked, json=json))


@app.command()
def show(context: typer.Context, event_id: EventId, json: Json = False) -> None:
    """Show one parked event: its error, and the events that wait behind it."""
    with clear_errors():
        from infrastructure.cli import parked_events

        until_done(parked_events.print_one(deployed(context), event_id, json=json))


@app.command()
def replay(
    context: typer.Context,
    event_id: Annotated[
        UUID | None, typer.Argument(help="Only this event.", metavar="EVENT_ID")
    ] = None,
    stream: Annotated[
        str | None, typer.Option(help="The first parked event of this stream.", metavar="NAME")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The first of each stream.")] = False,
    group: Group = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what it would do.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many.")] = None,
    rate: Annotated[
        float, typer.Option(min=0.01, callback=finite, help="This many per second.")
    ] = 100.0,
    reason: Annotated[str | None, typer.Option(help="Why; it is recorded.", metavar="TEXT")] = None,
    by: By = None,
) -> None:
    """Handle parked events again. If one succeeds, the events behind it follow in order."""
    with clear_errors():
        from application.operating.parked import Selection
        from infrastructure.cli import parked_commands

        ids = [] if event_id is None else [event_id]
        which = Selection(ids, stream, everything, group, limit)
        until_done(
            parked_commands.replay(deployed(context), which, by, reason, rate=rate, dry_run=dry_run)
        )


@app.command()
def discard(
    context: typer.Context,
    event_id: EventId,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.", metavar="TEXT")],
    by: By = None,
) -> None:
    """Give up one event for good. The events that wait behind it are handled."""
    with clear_errors():
        from infrastructure.cli import parked_commands

        until_done(parked_commands.discard(deployed(context), event_id, by, reason))
