"""Metrics: what is counted and timed, and where. Each service has a registry of its own."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from application.catalogue import Catalogue
from application.category import Category
from application.command_dispatch import (
    CommandDispatch,
    CommandIdReused,
    CommandOutcome,
    StaleVersion,
)
from application.messages import Context, NewEvent, RecordedEvent
from application.parking_stream import ParkingStream
from application.ports import Appended, EventStore, WrongExpectedVersion
from application.projections.lag import Lag
from application.projections.staleness import Staleness
from domain.decider import Command, DomainError
from infrastructure.forwarder_metrics import ForwarderMetrics  # only: bus
from infrastructure.group_metrics import GroupMetrics
from infrastructure.receiving_metrics import ReceivingMetrics  # only: bus
from infrastructure.saga_metrics import SagaMetrics
from infrastructure.store_metrics import StoreMetrics

log = structlog.stdlib.get_logger(__name__)


class Metrics:
    """All metrics of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.commands = Histogram(
            "headwater_command_seconds",
            "Commands carried out, by what came of them.",
            ["command", "outcome"],
            registry=self.registry,
        )
        self.conflicts = Counter(
            "headwater_append_conflicts_total",
            "Appends that found another version than expected, and were decided anew.",
            ["category"],
            registry=self.registry,
        )
        self.useless_snapshots = Counter(
            "headwater_useless_snapshots_total",
            "Snapshots that were discarded, and those that could not be kept.",
            ["category"],
            registry=self.registry,
        )
        self.requests = Histogram(
            "headwater_http_request_seconds",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.roles = Gauge(
            "headwater_process_role",
            "1 for each role of this process.",
            ["role"],
            registry=self.registry,
        )
        # only: bus
        self.bus = Gauge(
            "headwater_bus_configured",
            "1 where integration events are to be published.",
            registry=self.registry,
        )
        # end: bus
        # only: search
        self.apart = Gauge(
            "headwater_read_models_apart_hindered",
            "1 while something is wrong with a server that has read models of its own.",
            ["check"],
            registry=self.registry,
        )
        # end: search
        self.sagas = SagaMetrics(self.registry)
        self.event_store = StoreMetrics(self.registry)
        self.groups = GroupMetrics(self.registry)
        self.receiving = ReceivingMetrics(self.registry)  # only: bus
        self.forwarder = ForwarderMetrics(self.registry)  # only: bus
        self._parked = Gauge(
            "headwater_parked_events",
            "Parked events of a consumer group, with those that wait behind them.",
            ["group"],
            registry=self.registry,
        )
        self._read_models = _ReadModels()
        self.registry.register(self._read_models)

    def show(self, lags: Sequence[Lag], staleness: Staleness) -> None:
        """Show the status of the read models from now on."""
        self._read_models.shown = (lags, staleness)

    def show_parked(self, parking_streams: Sequence[ParkingStream]) -> None:
        """Show the parked events as of the last read; a group that was not read has no sample."""
        self._parked.clear()
        for parking in parking_streams:
            self._parked.labels(parking.group).set(len(parking.parked.held))


class _ReadModels(Collector):
    """Gauges of every build; an unknown value has no sample, since 0 would be wrong."""

    shown: tuple[Sequence[Lag], Staleness] = ((), Staleness())

    def collect(self) -> Iterable[Metric]:
        lags, staleness = self.shown
        for name, what, of in _GAUGES:
            gauge = GaugeMetricFamily(f"{PREFIX}_{name}", what, labels=_LABELS)
            for lag in lags:
                if (value := of(lag)) is not None:
                    gauge.add_metric(_labels(lag), float(value))
            yield gauge
        breaches = CounterMetricFamily(
            f"{PREFIX}_staleness_breaches",
            "How often the live views grew older than max_staleness allows.",
            labels=["projection"],
        )
        for name, count in staleness.breaches.items():
            breaches.add_metric([name], count)
        yield breaches


PREFIX: Final = "headwater_projection"
_LABELS: Final = ["projection", "build", "role"]
_GAUGES: Final[Sequence[tuple[str, str, Callable[[Lag], float | None]]]] = (
    ("position", "The position up to which every event is in the views.", lambda lag: lag.position),
    ("lag_seconds", "How old an answer may be, where known.", lambda lag: lag.seconds),
    ("lag_events", "How many events are not in the views, where known.", lambda lag: lag.events),
    ("events_per_second", "Events taken in lately.", lambda lag: lag.rate),
    ("failed", "1 when an event has stopped it.", lambda lag: lag.failed),
    ("breached", "1 while it is older than max_staleness, or unknown.", lambda lag: lag.breached),
)


def _labels(lag: Lag) -> Sequence[str]:
    return (lag.build.name, lag.build.table, lag.role)


class MeasuredDispatch(CommandDispatch):
    """Command dispatch that counts and times commands, by outcome."""

    def __init__(
        self,
        store: EventStore,
        catalogue: Catalogue,
        metrics: Metrics,
        *,
        remember: int = 0,
    ) -> None:
        super().__init__(store, catalogue, remember=remember, report=self._useless)
        self._metrics = metrics

    async def __call__(
        self,
        id: str,
        command: Command,
        context: Context,
        *,
        expected_version: int | None = None,
        new: bool = False,
        category: Category | None = None,
    ) -> CommandOutcome:
        """As :class:`~application.command_dispatch.CommandDispatch`."""
        began, came = time.perf_counter(), "failed"
        try:
            outcome = await super().__call__(
                id,
                command,
                context,
                expected_version=expected_version,
                new=new,
                category=category,
            )
            came = "repeated" if outcome.repeated else "done" if outcome.events else "nothing_to_do"
            return outcome
        except (DomainError, StaleVersion, CommandIdReused):
            came = "refused"
            raise
        finally:
            took = time.perf_counter() - began
            self._metrics.commands.labels(type(command).__name__, came).observe(took)

    def _useless(self, stream: str, why: str) -> None:
        self._metrics.useless_snapshots.labels(stream.partition("-")[0]).inc()
        log.warning("a snapshot is of no use, and the events are read", stream=stream, reason=why)


class MeasuredEventStore:
    """An event store that counts conflicts."""

    def __init__(self, store: EventStore, metrics: Metrics) -> None:
        self._store, self._metrics = store, metrics

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """As the port."""
        try:
            return await self._store.append(stream, events, expected_version)
        except WrongExpectedVersion:
            self._metrics.conflicts.labels(stream.partition("-")[0]).inc()
            raise

    def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        """As the port."""
        return self._store.read(stream, from_version=from_version, backwards=backwards, limit=limit)
