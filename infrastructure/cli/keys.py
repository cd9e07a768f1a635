"""``headwater keys``: issues, lists and revokes the API keys of machines."""

from datetime import timedelta
from typing import Annotated

import typer

from infrastructure.cli.durations import duration
from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
Issue, list and revoke API keys: by such a key a machine proves who it is.

Works on the service that runs in the same home, or on the servers that are set. Every step is an
event. A service accepts keys if its settings say so.
""",
)

By = Annotated[
    str | None,
    typer.Option(help="Your name; unset: the user of this process.", metavar="NAME"),
]


@app.command()
def issue(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which machine it is for.")],
    roles: Annotated[
        list[str], typer.Option("--role", help="A role that it has; may be repeated.")
    ],
    expires_in: Annotated[
        timedelta, typer.Option(parser=duration, help="`90d`, `12h`.", metavar="SPAN")
    ] = "90d",  # type: ignore[assignment]  # the parser reads the default, too
    by: By = None,
) -> None:
    """Issue a key, and print it: it is not shown again."""
    with clear_errors():
        from infrastructure.cli import key_commands

        until_done(key_commands.issue(deployed(context), name, roles, expires_in, by))


@app.command("list")
def list_keys(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the keys, newest first, and when they expire; never the keys themselves."""
    with clear_errors():
        from infrastructure.cli import key_commands

        until_done(key_commands.print_keys(deployed(context), json=json))


@app.command()
def revoke(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="The id of the key, as `list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the key.", metavar="TEXT")],
    by: By = None,
) -> None:
    """Revoke a key. Services that run refuse it within 10 seconds."""
    with clear_errors():
        from infrastructure.cli import key_commands

        until_done(key_commands.revoke(deployed(context), id, reason, by))
