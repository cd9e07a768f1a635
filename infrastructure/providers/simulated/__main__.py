"""As a process: ``python -m infrastructure.providers.simulated module:NAME --file F --port P``.

Prints one line, ``ready http://…``, when it answers. Ends on SIGINT and SIGTERM, and, with
``--with-parent``, when its standard input is closed, as it is when its parent dies.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from infrastructure import event_loop
from infrastructure.providers.simulated.declared import InvalidDeclaration, declared_at
from infrastructure.providers.simulated.journal import JournalUnavailable
from infrastructure.providers.simulated.server import answering


def main() -> int:
    arguments = _arguments()
    os.umask(0o077)  # the journal is readable by this user only
    try:
        with asyncio.Runner(loop_factory=event_loop.of_services()) as runner:
            runner.run(_serve(arguments))
    except (OSError, JournalUnavailable, InvalidDeclaration) as error:
        print(f"providers: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="providers", description="Simulated providers.")
    parser.add_argument("declared", help="module:NAME, a sequence of SimulatedProvider")
    parser.add_argument("--file", type=Path, help="the journal; without it nothing is kept")
    parser.add_argument("--port", type=int, default=0, help="0 is any free one")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, end.set)

    def heard_of_parent() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            loop.remove_reader(sys.stdin)
            end.set()

    providers = declared_at(arguments.declared)
    async with answering(providers, arguments.file, arguments.port) as uri:
        if arguments.with_parent:
            loop.add_reader(sys.stdin, heard_of_parent)
        print(f"ready {uri}", flush=True)
        await end.wait()


if __name__ == "__main__":
    sys.exit(main())
