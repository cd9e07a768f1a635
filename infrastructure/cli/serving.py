"""The commands that serve: ``run`` and ``serve``, and the processes that ``run`` starts.

Each imports what it needs when it runs.
"""

from enum import StrEnum
from typing import Annotated

import typer

from infrastructure.cli.printing import say
from infrastructure.cli.process import clear_errors, deployed, report_to_parent, until_stopped
from infrastructure.roles import Role


# only: temporal
class Engine(StrEnum):
    """What ``--engine`` takes."""

    PLAIN = "plain"
    TEMPORAL = "temporal"


# end: temporal
class RoleName(StrEnum):
    """What ``--role`` takes."""

    API = Role.API
    PROJECTIONS = Role.PROJECTIONS
    SAGAS = Role.SAGAS
    FORWARDERS = Role.FORWARDERS  # only: bus
    ALL = "all"


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
    # only: temporal
    engine: Annotated[
        Engine | None,
        typer.Option(
            help="What drives the sagas that have no engine of their own; unset: what is set."
        ),
    ] = None,
    # end: temporal
) -> None:
    """Start the service, and a server for each that is not set, if one comes with the service.

    Each role of the service is a process. One that ends is started again. The first start on an
    empty event store that it started itself may fill it with an example.
    Ctrl-C stops everything; the next start finds all data again.
    """
    with clear_errors():
        from infrastructure.processes.home import Home
        from infrastructure.processes.listener import listen
        from infrastructure.roles import numbers

        deployment = deployed(context)
        if engine is not None:  # only: temporal
            deployment = deployment.with_engine(engine.value)  # only: temporal
        wanted = numbers(
            processes or (),
            deployment.idle,  # only: bus
        )
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

    Starts no server itself. A process of any role answers `/health/live`,
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


def greet(
    context: typer.Context, url: str, given: Annotated[list[str] | None, typer.Argument()] = None
) -> None:
    """Import the sample if it is due, and print the welcome, as a process of `run`."""
    with clear_errors():
        from infrastructure.processes.with_parent import end_with_parent

        end_with_parent()
        from infrastructure.cli.greet import greet

        until_stopped(greet(deployed(context), url, given or ()))
