"""The customers, in a process of their own: ``python -m ….load URL TASK``, TASK in JSON.

Prints a :class:`Load` in JSON. Latencies are in seconds; those of an open loop count from the
moment at which the request was due, so that a server that is late is seen to be.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from itertools import count, cycle
from typing import Any, Final
from uuid import uuid4

import uvloop

from tests.shop.benchmarks.whole_orders.client import Answer, Client, Unanswered
from tests.shop.benchmarks.whole_orders.orders import all_skus, order

IN_STOCK: Final = 10_000_000
_DIFFERENT: Final = 2_000  # orders; then the same goods are ordered again
_KNOWN_AFTER: Final = 1.0  # seconds after which an order is looked at
_FLOW: Final = ("confirmation", "shipment", "delivery")
_LOCATION: Final = b"location: /orders/"


@dataclass(frozen=True)
class Task:
    """What the customers do."""

    what: str
    """``stock``, ``open``, ``closed``, ``flow`` or ``get``."""
    seconds: float = 0
    rate: float = 0
    """Orders a second, of an open loop."""
    gets: float = 0
    """Questions for an order a second, beside it."""
    clients: int = 1
    popular: bool = False
    path: str = ""
    """What ``get`` asks for."""


@dataclass
class Load:
    """What came of it."""

    placed: int = 0
    refused: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    """All other answers to orders, by what they were."""
    posts: list[float] = field(default_factory=list)
    gets: list[float] = field(default_factory=list)
    gets_wrong: Counter[str] = field(default_factory=Counter)
    last: str = ""
    """The id of the last order."""
    seconds: float = 0.0
    processor: float = 0.0
    """Seconds of the processor, of this process."""


class Customers:
    """Place orders, and look at them."""

    def __init__(self, client: Client, task: Task) -> None:
        self.load = Load()
        self._client, self._chance = client, random.Random(7)
        bodies = [order(self._chance, popular=task.popular) for _ in range(_DIFFERENT)]
        self._bodies = cycle(bodies)
        self._orders: deque[tuple[float, str]] = deque(maxlen=10_000)

    async def place(self, due: float) -> str | None:
        """Returns the id of the order, if it was accepted."""
        try:
            answer = await self._client.post("/orders", next(self._bodies), uuid4().hex)
        except (Unanswered, OSError) as error:
            self.load.wrong[repr(error)] += 1
            return None
        self.load.posts.append(time.perf_counter() - due)
        match answer.status:
            case HTTPStatus.CREATED:
                self.load.placed += 1
                return self._remember(answer)
            case HTTPStatus.SERVICE_UNAVAILABLE:
                self.load.refused += 1
            case _:
                self.load.wrong[_wrong(answer)] += 1
        return None

    async def accompany(self, due: float) -> None:
        """Place an order and send it on, until it is delivered."""
        if (id := await self.place(due)) is None:
            return
        for step in _FLOW:
            answer = await self._client.post(f"/orders/{id}/{step}", "{}", uuid4().hex)
            if answer.status != HTTPStatus.OK:
                self.load.wrong[_wrong(answer)] += 1
        self.load.last = id

    async def look(self, due: float) -> None:
        """Look at an order that was placed a second ago at least."""
        known = time.perf_counter() - _KNOWN_AFTER
        if not self._orders or self._orders[0][0] > known:
            return
        at, id = self._chance.choice(self._orders)
        await self.get(f"/orders/{id if at <= known else self._orders[0][1]}", due)

    async def get(self, path: str, due: float) -> None:
        try:
            answer = await self._client.get(path)
        except (Unanswered, OSError) as error:
            self.load.gets_wrong[repr(error)] += 1
            return
        self.load.gets.append(time.perf_counter() - due)
        if answer.status != HTTPStatus.OK:
            self.load.gets_wrong[_wrong(answer)] += 1

    def _remember(self, answer: Answer) -> str:
        start = answer.head.lower().find(_LOCATION) + len(_LOCATION)
        self.load.last = answer.head[start : start + 36].decode()
        self._orders.append((time.perf_counter(), self.load.last))
        return self.load.last


def _wrong(answer: Answer) -> str:
    return f"{answer.status}: {answer.body[:200].decode(errors='replace')}"


async def at_rate(rate: float, seconds: float, act: Callable[[float], Awaitable[object]]) -> None:
    """An open loop: begin so many a second, whatever becomes of the earlier ones."""
    if not rate:
        return
    began, acts = time.perf_counter(), []
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        acts.append(asyncio.ensure_future(act(due)))
    await asyncio.gather(*acts)


async def one_after_the_other(
    clients: int, seconds: float, act: Callable[[float], Awaitable[object]]
) -> None:
    """A closed loop: each client begins when it has its answer."""
    until = time.perf_counter() + seconds

    async def client() -> None:
        while (now := time.perf_counter()) < until:
            await act(now)

    await asyncio.gather(*(client() for _ in range(clients)))


async def stocked(client: Client) -> None:
    """Receive every SKU."""
    body = json.dumps({"quantity": IN_STOCK})
    for sku in all_skus():
        for attempt in count():
            answer = await client.post(f"/stock/{sku}/receipts", body, f"stock-{sku}")
            if answer.status == HTTPStatus.CREATED:
                break
            if attempt == 50:  # a service that has just started may refuse
                raise RuntimeError(f"{sku} was not received: {answer}")
            await asyncio.sleep(0.1)


async def run(url: str, task: Task) -> Load:
    async with Client(url) as client:
        customers = Customers(client, task)
        began, processor = time.perf_counter(), time.process_time()
        match task.what:
            case "stock":
                await stocked(client)
            case "open":
                await asyncio.gather(
                    at_rate(task.rate, task.seconds, customers.place),
                    at_rate(task.gets, task.seconds, customers.look),
                )
            case "closed":
                await one_after_the_other(task.clients, task.seconds, customers.place)
            case "flow":
                await one_after_the_other(task.clients, task.seconds, customers.accompany)
            case _:
                asks = partial(customers.get, task.path)
                await one_after_the_other(task.clients, task.seconds, asks)
        customers.load.seconds = time.perf_counter() - began
        customers.load.processor = time.process_time() - processor
        return customers.load


def main(arguments: Sequence[str]) -> None:
    url, task = arguments
    load = uvloop.run(run(url, Task(**json.loads(task))))
    print(printed(load))


def printed(load: Load) -> str:
    """As the process prints it."""
    return json.dumps(vars(load))  # not `asdict`, which counts the items of a Counter


def loaded(text: str) -> Load:
    """The load that such a process printed."""
    found: dict[str, Any] = json.loads(text)
    counters = {name: Counter(found[name]) for name in ("wrong", "gets_wrong")}
    return Load(**{**found, **counters})


if __name__ == "__main__":
    main(sys.argv[1:])
