"""The command line of a program. Each command imports what it needs when it runs."""

import gc
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from infrastructure.cli import links, parked, projections, sagas, serving
from infrastructure.cli.printing import say
from infrastructure.cli.process import (
    UsageError,
    clear_errors,
    deployed,
    name_service,
    prepare_process,
    program,
    until_done,
    until_stopped,
)
from infrastructure.program import Program

_ABOUT = """
`{0} run` starts everything: the service, and an embedded server for each that is not set.

Settings come from the environment or a `.env` file; `{0} settings` lists them.
"""


def main(of: Program[Any]) -> None:
    """Run one command. Exit code 1: it failed; 2: an argument or a setting is wrong."""
    gc.disable()  # until the command runs: importing leaves no garbage, and much to look through
    try:
        sys.argv[1:] = prepare_process(sys.argv[1:])
    except UsageError as error:
        say(f"{of.service.name}: {error}", err=True)
        sys.exit(2)
    command_line(of)()


def command_line(of: Program[Any]) -> typer.Typer:
    """The commands of the kit and those of this program."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"], "obj": of},
        callback=name_service,
        help=f"\n{of.about}\n{_ABOUT.format(of.service.name)}",
    )
    for group in (projections, links, parked, sagas):
        app.add_typer(group.app, name=group.__name__.rpartition(".")[2])
    for command in (serving.run, serving.serve, migrate, node, stream, doctor, monitoring):
        app.command()(command)
    app.command("settings")(list_settings)
    for process_of_run in (serving.part, serving.greet):
        app.command(hidden=True)(process_of_run)
    of.commands(app)
    return app


def migrate(context: typer.Context) -> None:
    """Migrate the tables in PostgreSQL, the one that is set or the embedded one.

    A service migrates when it starts, if its role in PostgreSQL may. The command can be repeated,
    and may run in several processes at once.
    """
    with clear_errors():
        from infrastructure.cli.migrating import migrate as bring_up_to_date

        until_done(bring_up_to_date(deployed(context)))


def list_settings(context: typer.Context) -> None:
    """List the settings. Each is an environment variable, or a line in a `.env` file."""
    model = program(context).settings
    for name, field in model.model_fields.items():
        default = f" ({field.default})" if field.default else ""
        say(f"{model.name_of(name)}: {model.description_of(name)}{default}")


def node(
    context: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option(help="The directory of its data; unset: as `run`.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0: any free port; unset: 2113.")
    ] = None,
    http_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Serves /health/live, /stats … over HTTP/1.1, on loopback."
        ),
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing on disk.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Use TLS and users.")] = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Three members, one the leader.")
    ] = False,
) -> None:
    """Start the embedded EventStoreDB node alone, for any EventStoreDB client."""
    with clear_errors():
        from infrastructure.processes.embedded_node import require_node

        require_node()
        from infrastructure.cli.node import run_node

        if memory and data_dir:
            raise typer.BadParameter("--memory keeps nothing on disk: leave out --data-dir")
        settings = deployed(context).settings
        directory = data_dir or settings.home / "eventstoredb"
        at = settings.eventstoredb_port if port is None else port
        kept = None if memory else directory
        until_stopped(run_node(kept, at, http_port=http_port, tls=tls, cluster=cluster))


def stream(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="`CATEGORY-ID`; on EventStoreDB also `$ce-CATEGORY`.")
    ],
    json: Annotated[bool, typer.Option("--json", help="As JSON, one object per line.")] = False,
    backwards: Annotated[bool, typer.Option("--backwards", help="Newest first.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000_000, help="At most this many events.")
    ] = None,
) -> None:
    """Print the events of a stream: what happened, when, and by whom."""
    with clear_errors():
        from infrastructure.cli.streams import print_stream

        until_done(
            print_stream(deployed(context), name, json=json, backwards=backwards, limit=limit)
        )


def doctor(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List the damaged streams. Commands on a damaged stream are refused.

    A stream is damaged when some of its events are gone: the service cannot remove events, but
    operators and server policies can. Exit code 1 when there are any.
    """
    with clear_errors():
        from infrastructure.cli.doctor import examine

        until_done(examine(deployed(context), json=json))


def monitoring(
    context: typer.Context,
    what: Annotated[
        Literal["alerts", "dashboard"],
        typer.Argument(help="Rules for Prometheus, or a dashboard for Grafana."),
    ],
) -> None:
    """Print the alert rules for Prometheus or the dashboard for Grafana."""
    with clear_errors():
        from infrastructure import monitoring
        from infrastructure.cli.printing import say_file

        service = program(context).service
        say_file(monitoring.rules(service) if what == "alerts" else monitoring.dashboard(service))
