"""Metrics of what a process receives of other parties."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from application.receiving.handling import Outcome
from application.receiving.receiver import Receiver


class ReceivingMetrics:
    """Counts what came of each record, and shows what the receivers of this process lack."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._records = Counter(
            "headwater_received_records_total",
            "Records of other parties that were settled, by what came of them.",
            ["publisher", "outcome"],
            registry=registry,
        )
        self._samples = _Samples()
        registry.register(self._samples)

    def counting(self, publisher: str) -> Callable[[Outcome], None]:
        """Counts the records of this publisher."""
        for outcome in Outcome:  # 0 is shown from the start, so that a rate is seen at the first
            self._records.labels(publisher, outcome)
        return lambda outcome: self._records.labels(publisher, outcome).inc()

    def show(self, receivers: Mapping[str, Receiver]) -> None:
        """Show these, by publisher, from now on."""
        self._samples.receivers = receivers


class _Samples(Collector):
    """An unknown value has no sample, since 0 would be wrong."""

    receivers: Mapping[str, Receiver] = {}

    def collect(self) -> Iterable[Metric]:
        labels = ["publisher", "topic"]
        records = GaugeMetricFamily(
            "headwater_received_lag_records",
            "Records of this process's partitions that are not settled, where known.",
            labels=labels,
        )
        seconds = GaugeMetricFamily(
            "headwater_received_lag_seconds",
            "The age of the oldest of them, where known.",
            labels=labels,
        )
        hindered = GaugeMetricFamily(
            "headwater_receiving_hindered",
            "1 while this process cannot receive from that publisher.",
            labels=["publisher"],
        )
        for publisher, receiver in self.receivers.items():
            hindered.add_metric([publisher], receiver.fault is not None)
            for topic, lag in receiver.lags().items():
                if lag.records is not None:
                    records.add_metric([publisher, topic], lag.records)
                if lag.seconds is not None:
                    seconds.add_metric([publisher, topic], lag.seconds)
        yield from (records, seconds, hindered)
