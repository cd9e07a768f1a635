"""What the service itself reports while it is under load: its metrics, once a second."""

import math
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

EVERY: Final = 1.0  # seconds
_REPORTED: Final = 1.0  # seconds after which a report of a read model has been made anew
_ASKED: Final = ("all", "api", "sagas")
_SAMPLE: Final = re.compile(r"(\w+)\{([^}]*)\} (\S+)")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Report:
    """Where the service stands."""

    lags: Mapping[str, float]
    """Seconds, by live read model; those that are unknown are missing."""
    ended: Mapping[str, int]
    """The sagas of orders that have ended since the start, by how."""


def reported(deployment: Deployment) -> Report:
    """Asks the processes that know: the API, and those that run sagas. Raises ``OSError``."""
    lags: dict[str, float] = {}
    ended: Counter[str] = Counter()
    for process in (one for one in deployment.processes if one.role in _ASKED):
        for name, labels, value in _samples(process.url):
            match name:
                case "headwater_projection_lag_seconds" if labels["role"] == "live":
                    lags[labels["projection"]] = value
                case "headwater_saga_seconds_count" if labels["saga"] == "order_fulfilment":
                    ended[labels["end"]] += int(value)
    return Report(lags, ended)


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

    def look(self) -> Report:
        report = reported(self.deployment)
        self.looks += 1
        self.unknown += len(self.worst.keys() - report.lags.keys())
        for name, lag in report.lags.items():
            self.worst[name] = max(lag, self.worst.get(name, 0.0))
        return report


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


def settled(deployment: Deployment, orders: int, within: float) -> Report:
    """Wait until the sagas of that many orders have ended, and every read model shows all events.

    Raises ``TimeoutError``, with where it stands.
    """
    deadline, whole_since = time.monotonic() + within, math.inf
    while True:
        report = reported(deployment)
        late = [name for name, lag in report.lags.items() if lag]
        if late or not report.lags or sum(report.ended.values()) < orders:
            whole_since = math.inf
        else:
            whole_since = min(whole_since, time.monotonic())
        if time.monotonic() - whole_since > _REPORTED:
            return report
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {within:.0f} s, with {orders} orders: {report}")
        time.sleep(0.5)


def ended_otherwise(report: Report) -> Sequence[str]:
    """A sentence for each kind of end that is not completion."""
    return [f"{count} sagas {end}" for end, count in report.ended.items() if end != "completed"]
