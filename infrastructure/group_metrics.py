"""Metrics of consumer groups: whether new events reach them, and which events were gone."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class GroupMetrics:
    """Shows the last values that it was given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gone = Counter(
            "headwater_consumer_group_events_gone_total",
            "Events that were deleted or truncated before the group could handle them.",
            ["group"],
            registry=registry,
        )
        self._samples = _Samples()
        registry.register(self._samples)

    def gone(self, group: str) -> None:
        """Count a link of the group whose event is gone."""
        self._gone.labels(group).inc()

    def show(self, hindered: bool | None) -> None:
        """Show this from now on; ``None``: unknown."""
        self._samples.hindered = hindered


class _Samples(Collector):
    """An unknown value has no sample, since 0 would be wrong."""

    hindered: bool | None = None

    def collect(self) -> Iterable[Metric]:
        gauge = GaugeMetricFamily(
            "headwater_consumer_groups_hindered",
            "1 while something keeps new events from all consumer groups.",
        )
        if self.hindered is not None:
            gauge.add_metric([], self.hindered)
        yield gauge
