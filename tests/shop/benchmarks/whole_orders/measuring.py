"""The runs: what one whole order costs, a steady rate, and the highest rate."""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from tests.shop.benchmarks.whole_orders import report
from tests.shop.benchmarks.whole_orders.deployment import (
    ROLES,
    Deployment,
    Store,
    customers,
    deployed,
)
from tests.shop.benchmarks.whole_orders.load import Load, Task
from tests.shop.benchmarks.whole_orders.watching import REPORTED, ends, settled, watched

WARM_UP: Final = 50  # orders
IDLE: Final = 5.0  # seconds


@dataclass
class Shop:
    """A service that is measured, and how many orders it has had."""

    deployment: Deployment
    placed: int = 0

    def prepare(self) -> None:
        """Receive stock, and place some orders that do not count."""
        customers(self.deployment.url, Task("stock"))
        self.under(Task("closed", clients=4, seconds=2))
        self.settle()

    def under(self, task: Task) -> Load:
        load = customers(self.deployment.url, task)
        self.placed += load.placed
        return load

    def settle(self) -> Sequence[str]:
        """Wait until all orders are whole. Returns what went wrong, if anything did."""
        return settled(self.deployment, self.placed)


def idle(shop: Shop) -> Iterator[str]:
    """What the service takes while nothing happens."""
    before = shop.deployment.taken()
    time.sleep(IDLE)
    taken = shop.deployment.taken().since(before)
    each = ", ".join(f"{name} {of / IDLE * 1e3:.1f}" for name, of in taken.processes.items())
    yield f"idle, ms of processor a second: {each}"


def steady(shop: Shop, task: Task) -> Iterator[str]:
    """An open loop at one rate, with the cost of each order."""
    before = shop.deployment.taken()
    with watched(shop.deployment) as watch:
        load = shop.under(task)
        backlog = shop.placed - sum(ends(shop.deployment).values())
    began = time.monotonic()
    wrong = shop.settle()
    whole = time.monotonic() - began - REPORTED
    taken = shop.deployment.taken().since(before)
    yield from report.customers(load)
    yield f"{report.lags(watch.worst)}; unknown {watch.unknown} times of {watch.looks} looks"
    how = ", ".join(wrong) or "all completed"
    yield f"backlog at the end: {backlog:,} orders, whole {whole:.1f} s later; {how}"
    yield from report.costs(taken, load.placed)
    yield f"yardstick: {watch.yardstick.length:.2f} ms"


def fastest(shop: Shop, task: Task) -> Iterator[str]:
    """A closed loop; the rate counts until all orders are whole."""
    began = time.monotonic()
    load = shop.under(task)
    wrong = shop.settle()
    whole = load.placed / (time.monotonic() - began - REPORTED)
    yield from report.customers(load)
    yield f"whole orders: {whole:.1f}/s; {', '.join(wrong) or 'all completed'}"


def run(
    store: Store, tasks: Sequence[Task], roles: Sequence[str], faults: float = 0
) -> Iterator[str]:
    """Measure one store; the lines that it prints. Raises ``RuntimeError`` for a bad audit."""
    with deployed(store, roles) as deployment:
        shop = Shop(deployment)
        shop.prepare()
        if faults:
            deployment.strike(faults)
        yield from idle(shop)
        for task in tasks:
            popular = ", one SKU in every order" if task.popular else ""
            if task.what == "open":
                yield f"\n{task.rate:g} orders/s for {task.seconds:g} s{popular}"
                yield from steady(shop, task)
            else:
                yield f"\n{task.clients} clients, one after the other, {task.seconds:g} s{popular}"
                yield from fastest(shop, task)
        yield f"\n{deployment.audit()}"


def main() -> None:
    """Measure both stores and print; takes about three minutes."""
    for store in get_args(Store):
        show(store, [Task("open", rate=20, seconds=20), Task("closed", clients=8, seconds=10)])


def show(
    store: Store, tasks: Sequence[Task], roles: Sequence[str] = ROLES, faults: float = 0
) -> None:
    print(f"\nstore: {store}", flush=True)
    for line in run(store, tasks, roles, faults):
        print(line, flush=True)


def command() -> None:
    """As its options say."""
    parser = argparse.ArgumentParser(prog="whole_orders")
    parser.add_argument("--store", choices=get_args(Store), action="append")
    parser.add_argument("--rate", type=float, default=20, help="orders a second")
    parser.add_argument("--gets", type=float, default=0, help="questions a second, beside them")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=0, help="then so many in a closed loop")
    parser.add_argument("--popular", action="store_true", help="one SKU in every order")
    parser.add_argument("--role", action="append", help="a process for each; `all`: one for all")
    parser.add_argument("--faults", type=float, default=0, help="share of calls that go wrong")
    given = parser.parse_args()
    kept = {"seconds": given.seconds, "popular": given.popular}
    tasks = [Task("open", rate=given.rate, gets=given.gets, **kept)]
    if given.clients:
        tasks.append(Task("closed", clients=given.clients, **kept))
    for store in given.store or get_args(Store):
        show(store, tasks, given.role or ROLES, given.faults)
