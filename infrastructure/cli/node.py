"""``headwater node``: the embedded EventStoreDB node alone."""

import os
from pathlib import Path

from infrastructure.cli.printing import say
from infrastructure.embedded.eventstoredb.server import (
    CertificatesUnavailable,
    Node,
    NodeSettings,
    PortUnavailable,
    serve,
)
from infrastructure.embedded.eventstoredb.storage import StorageUnavailable
from infrastructure.processes import Hindrance


async def run_node(
    data_dir: Path | None, port: int, *, tls: bool = False, cluster: bool = False
) -> None:
    """Serve until cancelled. Raises :class:`Hindrance`."""
    settings = NodeSettings(data_dir=data_dir, port=port, tls=tls, cluster=cluster)

    def ready(node: Node) -> None:
        kept = "in memory only" if data_dir is None else f"in {data_dir}"
        say(f"EventStoreDB node: {node.uri}")
        say(f"Data {kept}. Ctrl-C stops it.")
        if cluster:
            say(f"Its leader steps down on: kill -USR1 {os.getpid()}")
            say(f"Its leader is lost, and then back, on: kill -USR2 {os.getpid()}")

    try:
        await serve(settings, ready)
    except CertificatesUnavailable as error:
        raise Hindrance(str(error)) from error
    except PortUnavailable as error:
        raise Hindrance(f"{error}; --port or EVENTSTOREDB_PORT sets another") from error
    except StorageUnavailable as error:
        raise Hindrance(f"{error}; --data-dir sets another directory") from error
