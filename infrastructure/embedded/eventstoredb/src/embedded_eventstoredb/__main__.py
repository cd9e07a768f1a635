"""A node as a process: ``python -m embedded_eventstoredb --data-dir D --port P``.

Prints one line, ``ready esdb://…``, when it listens. Ends on SIGINT and SIGTERM, and, with
``--with-parent``, when its standard input is closed, as it is when the parent dies. On SIGUSR1 the
leader of a cluster steps down. SIGUSR2 stops it as if it were killed; the next one starts it again.
"""

import argparse
import asyncio
import importlib.util
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from embedded_eventstoredb.node_settings import ELECTION_TIME, NodeSettings


def main() -> int:
    arguments = _arguments()
    os.umask(0o077)  # only this user may read the log
    _skip_client_import()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the node prints its own errors
    # uvloop forks to start the process that runs scripts; gRPC would then close our connections
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    from embedded_eventstoredb.server import (
        CertificatesUnavailable,
        Node,
        PortUnavailable,
        serve,
    )
    from embedded_eventstoredb.storage import StorageUnavailable

    if arguments.pool:
        from embedded_eventstoredb.pool_server import serve_pool

        _run(serve_pool())
        return 0

    try:
        settings = _settings(arguments)
    except ValueError as error:
        print(f"node: {error}", file=sys.stderr)
        return 1

    commands: set[asyncio.Task[None]] = set()

    def ready(node: Node) -> None:
        print(f"ready {node.uri} {node.http}".rstrip(), flush=True)
        if arguments.with_parent:
            from embedded_eventstoredb.parent_commands import run_commands

            commands.add(asyncio.create_task(run_commands(node)))

    try:
        _run(serve(settings, ready))
    except (PortUnavailable, StorageUnavailable, CertificatesUnavailable) as error:
        print(f"node: {error}", file=sys.stderr)
        return 1
    return 0


def _run(work: Coroutine[None, None, None]) -> None:
    """Run it on uvloop, where that is installed: it takes a tenth off the cost of a call."""
    made: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ImportError):
        from uvloop import new_event_loop as made
    with asyncio.Runner(loop_factory=made) as runner:
        runner.run(work)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="embedded-eventstoredb", description="An EventStoreDB node on SQLite."
    )
    add = parser.add_argument
    add("--data-dir", type=Path, help="keeps the events; without it, they are in memory")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=2113, help="0 is any free port")
    add("--advertise-host", default="", help="the host that gossip names, if it is not --host")
    add("--cluster", action="store_true", help="three members, on this port and the next two")
    add("--tls", action="store_true", help="encrypted, with users admin and ops (changeit)")
    add("--certificates", type=Path, help="keeps the certificate authority that clients trust")
    add("--http-port", type=int, help="also HTTP/1.1, on loopback; 0 is any free port")
    add("--follower-lag", type=float, default=0.0, help="seconds that followers are behind")
    add("--election-time", type=float, default=ELECTION_TIME, help="seconds without a leader")
    add("--no-projections", action="store_true", help="leave the system projections disabled")
    add("--max-append-size", type=int, default=1 << 20, help="bytes of data in one append")
    add("--pool", action="store_true", help=argparse.SUPPRESS)  # as NodePool starts it
    add("--with-parent", action="store_true", help=argparse.SUPPRESS)  # as NodeProcess does
    return parser.parse_args()


def _settings(arguments: argparse.Namespace) -> NodeSettings:
    return NodeSettings(
        data_dir=arguments.data_dir,
        host=arguments.host,
        port=arguments.port,
        advertised_host=arguments.advertise_host,
        cluster=arguments.cluster,
        tls=arguments.tls,
        certificates=arguments.certificates,
        follower_lag=arguments.follower_lag,
        election_time=arguments.election_time,
        http_port=arguments.http_port,
        projections=not arguments.no_projections,
        max_append_size=arguments.max_append_size,
    )


def _skip_client_import() -> None:
    """Import ``esdbclient`` as a plain folder: the node needs its messages, not its client (0.3
    s).
    """
    found = importlib.util.find_spec("esdbclient")
    if found is not None and found.submodule_search_locations is not None:
        package = ModuleType("esdbclient")
        package.__path__ = list(found.submodule_search_locations)
        sys.modules["esdbclient"] = package


if __name__ == "__main__":
    sys.exit(main())
