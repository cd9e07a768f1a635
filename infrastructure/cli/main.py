"""The command line of a program. Each command imports what it needs when it runs."""

import gc
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from infrastructure.cli import links, parked, projections, sagas
from infrastructure.cli.printing import say
from infrastructure.cli.process import (
    UsageError,
    clear_errors,
    deployed,
    name_service,
    prepare_process,
    program,
    report_to_parent,
    until_done,
    until_stopped,
)
from infrastructure.program import Program
from infrastructure.roles import Role


class RoleName(StrEnum):
    """What ``--role`` takes."""

    API = Role.API
    PROJECTIONS = Role.PROJECTIONS
    SAGAS = Role.SAGAS
    FORWARDERS = Role.FORWARDERS
    ALL = "all"


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
    for command in (run, serve, migrate, node, stream, doctor, monitoring):
        app.command()(command)
    app.command("settings")(list_settings)
    for process_of_run in (part, greet):
        app.command(hidden=True)(process_of_run)
    of.commands(app)
    return app


def run(
    context: typer.Context,
    processes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NUMBER",
            help="How many processes of a role, such as `projections=2`; unset: one of each. "
            "It may be repeated.",
        ),
    ] = None,
) -> None:
    """Start the service, and an embedded server for each that is not set.

    Each role of the service is a process. One that ends is started again.
    The first start on an empty embedded store imports a sample of a real order history.
    Ctrl-C stops everything; the next start finds all data again.
    """
    with clear_errors():
        from infrastructure.processes.home import Home
        from infrastructure.processes.listener import listen
        from infrastructure.roles import numbers

        deployment = deployed(context)
        wanted = numbers(processes or (), forwards=bool(deployment.program.forwarders))
        home = Home(deployment.settings)
        with home.claimed(), listen(deployment.settings) as listener:
            say("Starting …")
            from infrastructure.cli.run import run_service

            until_stopped(run_service(deployment, home, listener, wanted))


def serve(
    context: typer.Context,
    role: Annotated[
        list[RoleName] | None,
        typer.Option(
            metavar="ROLE",
            help=f"What the process does: `{'`, `'.join(Role)}`, or `all`, as when it is unset. "
            "It may be repeated.",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="0: any free port; unset: the one that is set."),
    ] = None,
) -> None:
    """Start the service on the servers that are set. Every server must be set.

    Starts no embedded or simulated server. A process of any role answers `/health/live`,
    `/health/ready` and `/metrics`.
    """
    with clear_errors():
        from infrastructure.processes.listener import listen
        from infrastructure.program import Deployment
        from infrastructure.roles import roles

        of = deployed(context)
        at = {} if port is None else {"http_port": port}
        deployment = Deployment(of.program, of.settings.model_copy(update=at))
        with listen(deployment.settings) as listener:
            from infrastructure.cli.serve import serve_configured

            until_stopped(serve_configured(deployment, listener, roles(role or ["all"])))


def part(context: typer.Context, role: str, listener: Annotated[list[int], typer.Option()]) -> None:
    """Serve in one role, on sockets that are open, as a process of `run`."""
    with clear_errors(report_to_parent):
        from infrastructure.processes.with_parent import end_with_parent

        end_with_parent()
        from socket import socket

        from infrastructure.cli.serve import serve_part

        listeners = [socket(fileno=descriptor) for descriptor in listener]
        until_stopped(serve_part(deployed(context), listeners, Role(role)))


def greet(context: typer.Context, url: str, given: list[str] | None = None) -> None:
    """Import the sample if it is due, and print the welcome, as a process of `run`."""
    with clear_errors():
        from infrastructure.processes.with_parent import end_with_parent

        end_with_parent()
        from infrastructure.cli.greet import greet

        until_stopped(greet(deployed(context), url, given or ()))


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
