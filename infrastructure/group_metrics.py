"""Metrics of consumer groups: whether new events reach them, and what they found gone."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class GroupMetrics:
    """Shows what it was told last."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gone = Counter(
            "headwater_consumer_group_events_gone_total",
            "Events that were deleted or truncated before the group could handle them.",
            ["group"],
            registry=registry,
        )
        self._told = _Told()
        registry.register(self._told)

    def gone(self, group: str) -> None:
        """The group found a link whose event is not there any more."""
        self._gone.labels(group).inc()

    def show(self, hindered: bool | None) -> None:
        """Let the next reading tell this; ``None``: nobody knows."""
        self._told.hindered = hindered


class _Told(Collector):
    """What is unknown has no sample, since 0 would be a lie."""

    hindered: bool | None = None

    def collect(self) -> Iterable[Metric]:
        gauge = GaugeMetricFamily(
            "headwater_consumer_groups_hindered",
            "1 while something keeps new events from all consumer groups.",
        )
        if self.hindered is not None:
            gauge.add_metric([], self.hindered)
        yield gauge
