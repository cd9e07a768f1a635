"""``headwater node``: the embedded EventStoreDB node alone."""

import os
from pathlib import Path

from embedded_eventstoredb.server import (
    CertificatesUnavailable,
    Node,
    NodeSettings,
    PortUnavailable,
    serve,
)
from embedded_eventstoredb.storage import StorageUnavailable
from infrastructure.cli.printing import say
from infrastructure.processes import CommandFailed


async def run_node(
    data_dir: Path | None,
    port: int,
    *,
    http_port: int | None = None,
    tls: bool = False,
    cluster: bool = False,
) -> None:
    """Serve until cancelled. Raises :class:`CommandFailed`."""
    settings = NodeSettings(
        data_dir=data_dir, port=port, http_port=http_port, tls=tls, cluster=cluster
    )

    def ready(node: Node) -> None:
        kept = "in memory only" if data_dir is None else f"in {data_dir}"
        say(f"EventStoreDB node: {node.uri}")
        if node.http:
            say(f"Over HTTP: {node.http}/health/live, /gossip, /info, /stats, /ping")
        say(f"Data {kept}. Ctrl-C stops it.")
        if cluster:
            say(f"To make its leader resign: kill -USR1 {os.getpid()}")
            say(f"To stop its leader and start it again: kill -USR2 {os.getpid()}")

    try:
        await serve(settings, ready)
    except CertificatesUnavailable as error:
        raise CommandFailed(str(error)) from error
    except PortUnavailable as error:
        raise CommandFailed(f"{error}; --port or --http-port sets another") from error
    except StorageUnavailable as error:
        raise CommandFailed(f"{error}; --data-dir sets another directory") from error
