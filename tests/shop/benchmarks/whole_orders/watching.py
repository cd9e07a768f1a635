"""What the service itself reports while it is under load: its metrics, once a second."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.request import urlopen

from tests.shop.benchmarks.whole_orders.deployment import PATIENCE, Deployment
from tests.shop.benchmarks.whole_orders.yardstick import Yardstick

EVERY: Final = 1.0  # seconds
REPORTED: Final = 1.0
"""Seconds after which the report of a read model has been made anew: so long it is waited for."""
_RUN_SAGAS: Final = ("all", "sagas")
_SAMPLE: Final = re.compile(r"(\w+)\{([^}]*)\} (\S+)")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


Lags = Mapping[str, float]
"""Seconds, by live read model; those that are unknown are missing."""
Ends = Mapping[str, int]
"""The sagas of orders that have ended since the start, by how."""


def lags(deployment: Deployment) -> Lags:
    """As the API knows them. Raises ``OSError``."""
    return {
        labels["projection"]: value
        for name, labels, value in _samples(deployment.url)
        if name == "headwater_projection_lag_seconds" and labels["role"] == "live"
    }


def ends(deployment: Deployment) -> Ends:
    """As the processes know that run sagas. Raises ``OSError``."""
    ended: Counter[str] = Counter()
    for process in (one for one in deployment.processes if one.role in _RUN_SAGAS):
        for name, labels, value in _samples(process.url):
            if name == "headwater_saga_seconds_count" and labels["saga"] == "order_fulfilment":
                ended[labels["end"]] += int(value)
    return ended


def _samples(url: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    with urlopen(f"{url}/metrics", timeout=PATIENCE) as answer:
        text = answer.read().decode()
    for name, labels, value in _SAMPLE.findall(text):
        yield name, dict(_LABEL.findall(labels)), float(value)


@dataclass
class Watch:
    """Reports of a while."""

    deployment: Deployment
    worst: dict[str, float] = field(default_factory=dict)
    """The longest lag of each read model, in seconds."""
    unknown: int = 0
    """How often the lag of a read model was not known."""
    looks: int = 0
    yardstick: Yardstick = field(default_factory=Yardstick)

    def look(self) -> None:
        self.yardstick.measure()
        now = lags(self.deployment)
        self.looks += 1
        self.unknown += len(self.worst.keys() - now.keys())
        for name, lag in now.items():
            self.worst[name] = max(lag, self.worst.get(name, 0.0))


@contextmanager
def watched(deployment: Deployment) -> Iterator[Watch]:
    """Looks once a second, as long as the block lasts."""
    watch, over = Watch(deployment), threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
            with suppress(OSError):  # it is too busy to answer: the next look tells
                watch.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def settled(deployment: Deployment, orders: int, within: float = PATIENCE) -> Sequence[str]:
    """Wait until the sagas of that many orders have ended, and every read model shows all events.

    Returns a sentence for each kind of end that is not completion. Raises ``TimeoutError``.
    """
    deadline = time.monotonic() + within
    ended = ends(deployment)
    while sum(ended.values()) < orders:
        _pause(deadline, f"{orders} orders, and {ended} of their sagas")
        ended = ends(deployment)
    time.sleep(REPORTED)
    while not (late := lags(deployment)) or any(late.values()):
        _pause(deadline, f"lags of {late}")
    return [f"{count} sagas {end}" for end, count in ended.items() if end != "completed"]


def _pause(deadline: float, standing: str) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"after {PATIENCE:.0f} s: {standing}")
    time.sleep(0.5)
