"""Metrics of the forwarder: what it has published, how far it is behind, and what keeps it."""

from collections.abc import Iterable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from application.forwarding import Forwarder
from application.leading import LeaseLost
from application.ports import Fenced
from application.projections.status import State

PREFIX: Final = "headwater_forwarder"

log = structlog.stdlib.get_logger(__name__)


class ForwarderMetrics:
    """Counts and logs what a forwarder does; an :class:`~application.forwarding.Observer`.

    Each thing that is wrong is logged once, and counted each time.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._published = Counter(
            f"{PREFIX}_published_total", "Integration events published.", registry=registry
        )
        self._sizes = Histogram(
            f"{PREFIX}_batch_records",
            "Integration events in one transaction.",
            buckets=(0, 1, 3, 10, 30, 100, 300, 1000),
            registry=registry,
        )
        self._failures = Counter(
            f"{PREFIX}_failures_total",
            "Attempts that ended: fenced, failed until a person acts, or lost otherwise.",
            ["kind"],
            registry=registry,
        )
        self._samples = _Samples()
        registry.register(self._samples)
        self._logged: str | None = None

    def show(self, forwarder: Forwarder) -> None:
        """Show how it stands, from now on."""
        self._samples.forwarder = forwarder

    def published(self, records: int) -> None:
        self._published.inc(records)
        self._sizes.observe(records)
        if self._logged and records:
            log.info("integration events are published again")
            self._logged = None

    def lost(self, error: Exception) -> None:
        self._failures.labels("fenced" if isinstance(error, Fenced) else "lost").inc()
        if isinstance(error, LeaseLost):
            log.info("another process publishes integration events now")
        elif self._is_news(error):
            log.warning("integration events cannot be published now", reason=str(error))

    def failed(self, error: Exception) -> None:
        self._failures.labels("failed").inc()
        if self._is_news(error):
            known = type(error).__module__.startswith("application.")
            log.error(
                "no integration event is published until a person acts",
                reason=f"{type(error).__name__}: {error}",
                exc_info=None if known else error,
            )

    def _is_news(self, error: Exception) -> bool:
        before, self._logged = self._logged, str(error)
        return before != self._logged


class _Samples(Collector):
    """An unknown value has no sample, since 0 would be wrong."""

    forwarder: Forwarder | None = None

    def collect(self) -> Iterable[Metric]:
        active = GaugeMetricFamily(
            f"{PREFIX}_active", "1 while this process publishes, or waits for a person."
        )
        failed = GaugeMetricFamily(f"{PREFIX}_failed", "1 while a person has to act.")
        lag = GaugeMetricFamily(
            f"{PREFIX}_lag_seconds", "The age of the oldest event that is not on the bus."
        )
        position = GaugeMetricFamily(
            f"{PREFIX}_position", "The position up to which every event is on the bus."
        )
        if self.forwarder:
            status = self.forwarder.status()
            is_active, needs_help = status.state is not State.STOPPED, self.forwarder.needs_help
            active.add_metric([], is_active and (needs_help or not self.forwarder.fault))
            failed.add_metric([], is_active and needs_help)
            if is_active and status.lag_seconds is not None:
                lag.add_metric([], status.lag_seconds)
            if is_active and status.position is not None:
                position.add_metric([], status.position)
        return [active, failed, lag, position]
