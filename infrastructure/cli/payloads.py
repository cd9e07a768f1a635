"""``headwater payloads``: verify what is too large for events, and remove what is not used."""

from datetime import timedelta
from typing import Annotated

import typer

from infrastructure.cli.durations import at_least_an_hour
from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
Verify the payloads: data that is too large for an event. Remove those that no event refers to.

Works on the service that runs in the same home, or on the servers that are set, and on the payload
store of the settings.
""",
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.command()
def verify(context: typer.Context, json: Json = False) -> None:
    """Read every payload that an event refers to, and list the missing and damaged ones.

    Reads all events of the log, and changes nothing. Each fault is listed with `STREAM@VERSION` of
    the event. Exit code 1 when there are any.
    """
    with clear_errors():
        from infrastructure.cli.payload_commands import verify

        until_done(verify(deployed(context), json=json))


@app.command()
def sweep(
    context: typer.Context,
    older_than: Annotated[
        timedelta,
        typer.Option(
            parser=at_least_an_hour,
            metavar="SPAN",
            help="Only those stored longer ago: `7d`, `12h`; at least `1h`.",
        ),
    ] = "7d",  # type: ignore[assignment]  # typer hands it to the parser
    grace: Annotated[
        timedelta,
        typer.Option(
            parser=at_least_an_hour,
            metavar="SPAN",
            help="How long a payload stays set aside before it is removed; at least `1h`.",
        ),
    ] = "1d",  # type: ignore[assignment]  # as above
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what it would do; write nothing.")
    ] = False,
    log: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="The id of this log, when the command asks you to confirm it."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Remove the payloads to which no event refers, as a killed process leaves them.

    The log decides, with all its events. A payload is first set aside, where it can still be read.
    A later sweep removes it after the grace, or puts it back if an event refers to it by then. So
    run it regularly, one at a time. Only the store where payloads are written is swept.
    """
    with clear_errors():
        from infrastructure.cli.payload_commands import Spans, sweep

        spans = Spans(older_than, grace)
        until_done(sweep(deployed(context), spans, confirmed=log, dry_run=dry_run, json=json))
