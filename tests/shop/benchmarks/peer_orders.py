"""Orders over HTTP, here and with the PyPI library ``eventsourcing`` 9.5, on one PostgreSQL.

    python -m tests.shop.benchmarks.peer_orders

Each order is placed, confirmed, shipped and delivered by four requests, and shown by one read
model. Both have an API and a runner of the read model in processes of their own, the same client,
and FastAPI in front. The library is an optional extra; without it this says how to get it.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Final
from urllib.request import urlopen

from tests.servers import empty_schema
from tests.shop.benchmarks.whole_orders.deployment import (
    PATIENCE,
    customers,
    deployed,
    free_port,
    processor_of,
    wait_until,
    wait_until_ready,
)
from tests.shop.benchmarks.whole_orders.load import Load, Task

ROUNDS: Final = 3
SECONDS: Final = 4.0
CLIENTS: Final = (1, 16)
_HERE: Final = "tests.shop.benchmarks.peer_orders_here"
_THERE: Final = "tests.shop.benchmarks.peer_orders_there"


@dataclass(frozen=True)
class Side:
    """One of both: where it answers, and its processes by what they are."""

    url: str
    pids: dict[str, int]

    def taken(self, clients: int) -> tuple[float, dict[str, float]]:
        """Whole orders a second, and milliseconds of the processor for each, by process."""
        before = {name: processor_of(pid) for name, pid in self.pids.items()}
        began = time.perf_counter()
        load = customers(self.url, Task("flow", seconds=SECONDS, clients=clients))
        _require_right(load)
        wait_until(partial(self._shows, load.last), lambda: False)
        rate = load.placed / (time.perf_counter() - began)
        taken = {name: processor_of(pid) - before[name] for name, pid in self.pids.items()}
        return rate, {name: of / load.placed * 1e3 for name, of in taken.items()}

    def _shows(self, order: str) -> bool:
        try:
            with urlopen(f"{self.url}/orders/{order}", timeout=PATIENCE) as answer:
                return b'"delivered"' in answer.read()
        except OSError:  # it does not know it yet
            return False


def _require_right(load: Load) -> None:
    """Raises ``ValueError`` if anything was refused or answered wrongly."""
    if load.refused or load.wrong:
        raise ValueError(f"{load.refused} refused; {load.wrong}")


def main() -> None:
    """Measure and print; takes about a minute."""
    if find_spec("eventsourcing") is None:
        print("Not measured. For it: .venv/bin/pip install 'eventsourcing[postgres]==9.5.*'")
        return
    with deployed("postgres", ("api", "projections"), metered=False, program=_HERE) as deployment:
        pids = {process.role: process.process.pid for process in deployment.processes}
        pids["PostgreSQL"] = deployment.servers["PostgreSQL"]
        here = Side(deployment.url, pids)
        with (
            empty_schema(deployment.postgres_uri) as uri,
            library(uri, pids["PostgreSQL"]) as there,
        ):
            for clients in CLIENTS:
                compare(clients, here, there)


def compare(clients: int, here: Side, there: Side) -> None:
    """In turns; medians."""
    turns = [(here.taken(clients), there.taken(clients)) for _ in range(ROUNDS)]
    ours, theirs = (median(turn[side][0] for turn in turns) for side in (0, 1))
    ratio = median(turn[0][0] / turn[1][0] for turn in turns)
    print(f"orders/s, {clients} clients: {ours:,.1f}; library {theirs:,.1f}; ratio {ratio:.1f}")
    print(f"  ms of processor for each: {_costs([turn[0][1] for turn in turns])}")
    print(f"  the library:              {_costs([turn[1][1] for turn in turns])}")


def _costs(rounds: Sequence[dict[str, float]]) -> str:
    each = {name: median(one[name] for one in rounds) for name in rounds[0]}
    parts = ", ".join(f"{name} {of:.1f}" for name, of in each.items())
    return f"{sum(each.values()):.1f} ({parts})"


@contextmanager
def library(uri: str, postgres: int) -> Iterator[Side]:
    """Its API and its runner, ready."""
    port = free_port()
    with _process("api", uri, port) as api:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, lambda: api.poll() is not None)
        with _process("runner", uri, port) as runner:
            assert runner.stdout is not None  # it is a pipe
            runner.stdout.readline()
            yield Side(url, {"api": api.pid, "runner": runner.pid, "PostgreSQL": postgres})


@contextmanager
def _process(what: str, uri: str, port: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", _THERE, what, uri, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


if __name__ == "__main__":
    main()
