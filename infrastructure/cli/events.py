"""``headwater events``, ``streams`` and ``trace``: look around in the event store."""

from typing import Annotated

import typer

from infrastructure.cli.list_options import After, Limit, OldestFirst, Since, Until, within
from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
List events of all streams, or show one with its cause and its effects.

Works on the service that runs in the same home, or on the servers that are set. Changes nothing.
""",
)

Json = Annotated[bool, typer.Option("--json", help="As JSON; unknown is null.")]
Category = Annotated[
    str | None, typer.Option(help="Only of this category: `order`.", metavar="NAME")
]


@app.command("list")
def list_events(
    context: typer.Context,
    category: Category = None,
    type: Annotated[
        str | None, typer.Option(help="Only of this type: `OrderPlaced`.", metavar="NAME")
    ] = None,
    correlation: Annotated[
        str | None, typer.Option(help="Only what this request led to.", metavar="ID")
    ] = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List events of all streams by the time of their recording, newest first."""
    with clear_errors():
        from application.ports import Wanted
        from infrastructure.cli import event_list

        wanted, recorded = Wanted(category, type, correlation), within(since, until)
        page = event_list.page(oldest_first, after, limit)
        until_done(event_list.print_events(deployed(context), wanted, recorded, page, json=json))


@app.command()
def show(
    context: typer.Context,
    event: Annotated[
        str, typer.Argument(help="`STREAM@VERSION`, or the id of an event.", metavar="EVENT")
    ],
    json: Json = False,
) -> None:
    """Show one event: as stored and as read, its cause, its effects, and who has taken it in."""
    with clear_errors():
        from infrastructure.cli import event_shown

        until_done(event_shown.print_event(deployed(context), event, json=json))


def streams(
    context: typer.Context,
    category: Category = None,
    prefix: Annotated[
        str, typer.Option(help="Only those whose names begin so: `order-5363`.", metavar="TEXT")
    ] = "",
    changed: Annotated[
        bool, typer.Option("--changed", help="In the order of their last events.")
    ] = False,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List streams, newest first. `stream NAME` prints the events of one.

    `--since` and `--until` are about the last event of a stream.
    """
    with clear_errors():
        from infrastructure.cli import event_list, stream_list

        asked = stream_list.Asked(category, prefix, within(since, until), changed=changed)
        page = event_list.page(oldest_first, after, limit)
        until_done(stream_list.print_streams(deployed(context), asked, page, json=json))


def trace(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="A correlation id, a stream, the id in its name, or an event.", metavar="NAME"
        ),
    ],
    json: Json = False,
) -> None:
    """Show everything that one request set off: events, saga steps and published records."""
    with clear_errors():
        from infrastructure.cli import trace_shown

        until_done(trace_shown.print_trace(deployed(context), name, json=json))


def history(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A stream: `order-536365`.", metavar="STREAM")],
    at: Annotated[
        int | None,
        typer.Option(min=0, help="Only the state as it was at this version.", metavar="VERSION"),
    ] = None,
    first: Annotated[int, typer.Option("--from", min=0, help="Begin at this version.")] = 0,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Show each event of a stream with what it changed in the state; or the state at a version."""
    with clear_errors():
        from infrastructure.cli import history_shown

        work = history_shown.print_history(
            deployed(context), name, at=at, first=first, limit=limit, json=json
        )
        until_done(work)


def audit_trail(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            help="Only with this outcome: `done`, `refused`, `failed`, `unknown`, "
            "`no end recorded`.",
            metavar="OUTCOME",
        ),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Only of this operator.", metavar="NAME")] = None,
    oldest_first: OldestFirst = False,
    after: After = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List what operators did, newest first: when, by whom, what, why, and what came of it."""
    with clear_errors():
        from infrastructure.cli import event_list
        from infrastructure.cli.audit_trail import print_trail, wanted

        actions = wanted(within(since, until), outcome, by)
        page = event_list.page(oldest_first, after, limit)
        until_done(print_trail(deployed(context), actions, page, json=json))
