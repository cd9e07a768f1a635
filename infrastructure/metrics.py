"""Metrics: what is counted and timed, and where. Each service has a registry of its own."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from application.command_dispatch import CommandDispatch, CommandIdReused, Outcome, StaleVersion
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import Appended, EventStore, WrongExpectedVersion
from application.projections.runner import ProjectionRunner
from application.projections.status import State
from domain.decider import Command, DomainError


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
        self.requests = Histogram(
            "headwater_http_request_seconds",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )

    def watch(self, runners: Callable[[], Sequence[ProjectionRunner[Any]]]) -> None:
        """Show how far these projections have come, whenever the metrics are read."""
        self.registry.register(_Projections(runners))


class _Projections(Collector):
    def __init__(self, runners: Callable[[], Sequence[ProjectionRunner[Any]]]) -> None:
        self._runners = runners

    def describe(self) -> Iterable[Metric]:
        return ()  # registering does not read them yet

    def collect(self) -> Iterable[Metric]:
        position = _gauge("position", "The position up to which every event is in the views.")
        lag = _gauge("lag_seconds", "How old a query's answer may be, where known.")
        failed = _gauge("failed", "1 when an event stopped the projection.")
        for runner in self._runners():
            status = runner.status()
            name = [status.name]
            failed.add_metric(name, float(status.state is State.FAILED))
            if status.position is not None:
                position.add_metric(name, status.position)
            if status.lag_seconds is not None:  # unknown is never shown as 0
                lag.add_metric(name, status.lag_seconds)
        return (position, lag, failed)


def _gauge(name: str, what: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"headwater_projection_{name}", what, labels=["projection"])


class MeasuredDispatch(CommandDispatch):
    """Command dispatch that counts and times, by the name of what came of it."""

    def __init__(self, store: EventStore, metrics: Metrics) -> None:
        super().__init__(store)
        self._metrics = metrics

    async def __call__(
        self,
        id: str,
        command: Command,
        context: Context,
        *,
        expected_version: int | None = None,
        new: bool = False,
    ) -> Outcome:
        """As :class:`~application.command_dispatch.CommandDispatch`."""
        began, came = time.perf_counter(), "failed"
        try:
            outcome = await super().__call__(
                id, command, context, expected_version=expected_version, new=new
            )
            came = "repeated" if outcome.repeated else "done" if outcome.events else "nothing_to_do"
            return outcome
        except (DomainError, StaleVersion, CommandIdReused):
            came = "refused"
            raise
        finally:
            took = time.perf_counter() - began
            self._metrics.commands.labels(type(command).__name__, came).observe(took)


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
