"""``headwater node``: its options. What it does is imported when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from infrastructure.cli.process import clear_errors, deployed, until_stopped


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
