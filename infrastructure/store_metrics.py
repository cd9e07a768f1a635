"""Metrics of an event store in PostgreSQL: events that are held back, and sizes of group commits.

On other stores they have no samples.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_APPENDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 200)


class HeldBack(Protocol):
    """What open transactions keep from readers."""

    @property
    def positions(self) -> int: ...
    @property
    def seconds(self) -> float: ...


class StoreMetrics:
    """Shows the last values that it was given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._groups = Histogram(
            "headwater_event_store_group_commit_appends",
            "Appends that went into one transaction.",
            buckets=_APPENDS,
            registry=registry,
        )
        self._samples = _Samples()
        registry.register(self._samples)

    def committed(self, appends: int) -> None:
        """Count a transaction of that many appends."""
        self._groups.observe(appends)

    def show(self, held_back: HeldBack | None, lost: int | None) -> None:
        """Show this from now on; ``None``: unknown.

        ``lost``: connections that listened and broke, since this process began.
        """
        self._samples.held_back, self._samples.lost = held_back, lost


class _Samples(Collector):
    """An unknown value has no sample, since 0 would be wrong."""

    held_back: HeldBack | None = None
    lost: int | None = None

    def collect(self) -> Iterable[Metric]:
        for name, what, of in _HELD_BACK:
            gauge = GaugeMetricFamily(f"headwater_event_store_held_back_{name}", what)
            if self.held_back is not None:
                gauge.add_metric([], of(self.held_back))
            yield gauge
        lost = CounterMetricFamily(
            "headwater_event_store_lost_listeners",
            "Connections that listened for events and broke.",
        )
        if self.lost is not None:
            lost.add_metric([], self.lost)
        yield lost


_HELD_BACK: Final[Sequence[tuple[str, str, Callable[[HeldBack], float]]]] = (
    ("events", "Positions that readers cannot pass: open transactions.", lambda it: it.positions),
    ("seconds", "For how long the oldest such transaction is open.", lambda it: it.seconds),
)
