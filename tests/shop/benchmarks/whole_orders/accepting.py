"""How fast the API alone accepts and answers, beside bare FastAPI with the same models.

    python -m tests.shop.benchmarks.whole_orders.accepting [postgres|node]

Both in turns, in the same run. The workers have ended once there is an order to look at. Two more
rows beside one process of bare FastAPI: two processes of the API at one address; and bare FastAPI
that writes each order to the store, by one ``INSERT`` or append, and does no more.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, get_args
from urllib.request import Request, urlopen

from tests.shop.benchmarks.whole_orders.deployment import (
    PATIENCE,
    Deployment,
    Store,
    customers,
    deployed,
    free_port,
    processor_of,
    wait_until_ready,
)
from tests.shop.benchmarks.whole_orders.load import Load, Task
from tests.shop.benchmarks.whole_orders.measuring import Shop
from tests.shop.e2e.cli import COMMAND

ROUNDS: Final = 5
SECONDS: Final = 2.0
_BARE: Final = "tests.shop.benchmarks.whole_orders.bare"


@dataclass(frozen=True)
class Side:
    """One of both: where it answers, and its process."""

    url: str
    pid: int

    def taken(self, task: Task) -> tuple[float, float]:
        """Requests a second, and milliseconds of its processor for each."""
        before = processor_of(self.pid)
        load = customers(self.url, task)
        answered = load.placed + len(load.gets)
        _require_right(load)
        return answered / load.seconds, (processor_of(self.pid) - before) / answered * 1e3


def _require_right(load: Load) -> None:
    """Raises ``ValueError`` if anything was refused or answered wrongly: rates would be lies."""
    if load.refused or load.wrong or load.gets_wrong:
        raise ValueError(f"{load.refused} refused; {load.wrong + load.gets_wrong}")


def main() -> None:
    """Measure one store, or both, and print; each takes about a minute."""
    for store in get_args(Store):
        if sys.argv[1:] not in ([], [store]):
            continue
        for line in measured(store):
            print(line, flush=True)


def measured(store: Store) -> Iterator[str]:
    """The lines of a table."""
    with deployed(store, metered=False, patient=True) as deployment:
        shop = Shop(deployment)
        shop.prepare()
        path = f"/orders/{shop.under(Task('closed', seconds=1)).last}"
        shop.settle()
        deployment.leave_the_api_alone()
        ours = Side(deployment.url, deployment.processes[0].process.pid)
        with bare(f"{ours.url}{path}", path) as theirs:
            title = f"the API alone, {store}"
            yield f"{title:34}{'here':>9}{'bare':>9}{'ratio':>7}   ms of processor"
            for name, task in rows(path):
                yield row(name, ours, theirs, task)
            placing = Task("closed", seconds=SECONDS, clients=64)
            with two(deployment) as both:
                yield row("POST /orders, 64 clients, two APIs", both, theirs, placing)
            with bare(f"{ours.url}{path}", path, deployment.events_uri) as writing:
                yield row("bare, and written, 64 clients", writing, theirs, placing)


def rows(path: str) -> Iterator[tuple[str, Task]]:
    """What is asked of both."""
    post, get = Task("closed", seconds=SECONDS), Task("get", seconds=SECONDS, path=path)
    for clients in (1, 64):
        yield f"POST /orders, {clients} clients", replace(post, clients=clients)
    for clients in (1, 64):
        yield f"GET /orders/ID, {clients} clients", replace(get, clients=clients)


def row(name: str, ours: Side, theirs: Side, task: Task) -> str:
    """Medians of rounds that alternate."""
    turns = [(ours.taken(task), theirs.taken(task)) for _ in range(ROUNDS)]
    here, there = (median(turn[side][0] for turn in turns) for side in (0, 1))
    ratio = median(turn[0][0] / turn[1][0] for turn in turns)
    costs = [median(turn[side][1] for turn in turns) for side in (0, 1)]
    return f"{name:34}{here:9,.0f}{there:9,.0f}{ratio:7.2f}   {costs[0]:.2f}, bare {costs[1]:.2f}"


@contextmanager
def two(deployment: Deployment) -> Iterator[Side]:
    """Two processes of the API at one address, on the servers of that deployment."""
    port = free_port()
    numbers = ("api=2", "projections=0", "sagas=0")
    process = subprocess.Popen(
        [*COMMAND, "run", *(f"--processes={number}" for number in numbers)],
        env={**deployment.environment, "HEADWATER_HTTP_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # not ready: the views lack events that nobody brings
    with _answering(f"http://127.0.0.1:{port}", process, "live") as side:
        yield side


@contextmanager
def _answering(url: str, process: subprocess.Popen[bytes], health: str) -> Iterator[Side]:
    """It ends with the block."""
    try:
        wait_until_ready(url, lambda: process.poll() is not None, health)
        yield Side(url, process.pid)
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextmanager
def bare(shown: str, path: str, *store: str) -> Iterator[Side]:
    """The bare application, which answers as ``shown`` does, and writes there if it is given."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", _BARE, str(port), *store])
    with _answering(f"http://127.0.0.1:{port}", process, "ready") as side:
        with urlopen(shown, timeout=PATIENCE) as answer:
            body = answer.read()
        headers = {"Content-Type": "application/json"}
        given = Request(f"{side.url}{path}", data=body, headers=headers, method="PUT")
        urlopen(given, timeout=PATIENCE).close()
        yield side


if __name__ == "__main__":
    main()
