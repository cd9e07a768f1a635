"""Servers that keep running: ``make servers``, ``make servers-stop``.

    python -m tests.servers start [NAME…]      install what is missing, start, print the addresses
    python -m tests.servers status [NAME…]     what runs
    python -m tests.servers stop [NAME…]       end what was started so
    python -m tests.servers install [NAME…]    only install

Without names: all of them. What this machine cannot have is printed with the reason; the exit code
is 1 for it where ``REQUIRE_SERVERS`` is set, and for a server that does not start.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from typing import Final

from tests.servers import (
    ALERTMANAGER,
    DYNAMODB,  # only: dynamodb
    KAFKA,  # only: kafka
    OIDC,
    OPENSEARCH,  # only: opensearch
    PROMETHEUS,
    S3_SERVER,  # only: s3
    TEMPORAL,  # only: temporal
)
from tests.servers.kept import keep, kept, stop
from tests.servers.server import NotHere, Server, ServerFailed

SERVERS: Final[Mapping[str, Server]] = {
    one.name: one
    for one in (
        DYNAMODB,  # only: dynamodb
        TEMPORAL,  # only: temporal
        S3_SERVER,  # only: s3
        KAFKA,  # only: kafka
        OPENSEARCH,  # only: opensearch
        OIDC,
        PROMETHEUS,
        ALERTMANAGER,
    )
}
_DOUBLES: Final = (
    # all others are real
    DYNAMODB.name,  # only: dynamodb
)


def _start(server: Server) -> str:
    address, new = keep(server)
    return f"{address}{'' if new else '  (ran already)'}"


def _status(server: Server) -> str:
    return kept(server) or "does not run"


def _stop(server: Server) -> str:
    return "stopped" if stop(server) else "did not run"


def _install(server: Server) -> str:
    server.install()
    return "installed"


_COMMANDS: Final[Mapping[str, Callable[[Server], str]]] = {
    "start": _start,
    "status": _status,
    "stop": _stop,
    "install": _install,
}


def main(arguments: list[str]) -> int:
    given = _parsed(arguments)
    failed = False
    for name in given.names or SERVERS:
        kind = "double" if name in _DOUBLES else "real"
        try:
            result = _COMMANDS[given.command](SERVERS[name])
        except NotHere as missing:
            result, failed = f"not here: {missing}", failed or "REQUIRE_SERVERS" in os.environ
        except ServerFailed as reason:
            result, failed = f"failed: {reason}", True
        print(f"{name:<14}{kind:<8}{result}", flush=True)
    if given.command == "start":
        _print_settings(given.names or list(SERVERS))
    return int(failed)


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.servers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("command", nargs="?", default="start", choices=_COMMANDS)
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(SERVERS):
        parser.error(f"no server is called {', '.join(sorted(unknown))}: {', '.join(SERVERS)} are")
    return given


def _print_settings(names: list[str]) -> None:
    """The settings of a service that uses them. The tests of this checkout find them anyway."""
    running = {name: address for name in names if (address := kept(SERVERS[name]))}
    settings = {
        setting: value
        for name, address in running.items()
        for setting, value in SERVERS[name].settings(address).items()
    }
    if settings:
        print("\nFor a service on them:")
    for setting, value in settings.items():
        print(f"  export {setting}={value}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
