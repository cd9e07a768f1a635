"""Metrics of sagas: what the engine records is counted here, open sagas are read from the views."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from application.sagas.events import (
    SagaCompensated,
    SagaCompleted,
    SagaEvent,
    SagaFailed,
    StepCompleted,
    StepDelayed,
    StepRefused,
    StepTimedOut,
    StepUndone,
    UndoDelayed,
    WaitExpired,
)
from application.sagas.queries import SagaCounts
from application.sagas.state import SagaState, SagaStatus

_SECONDS: Final = (0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


class SagaMetrics:
    """Counts what an engine here records: an ``Observer`` of it.

    An operator's command is recorded by the command line, so it is not counted here; the events
    that the engine then records are.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ends = Histogram(
            "headwater_saga_seconds",
            "From a saga's start to its end: completed, compensated or failed (a person must act). "
            "The time in which a step waited, for an event or a moment, is not counted.",
            ["saga", "end"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._attempts = Counter(
            "headwater_saga_attempts_total",
            "Attempts at steps and at undoing them, by what came of each.",
            ["saga", "step", "outcome"],
            registry=registry,
        )
        self._open = _Open()
        registry.register(self._open)

    def __call__(self, saga: str, before: SagaState, event: SagaEvent, age: timedelta) -> None:
        """``age``: since the saga was started, without the time in which a step waited."""
        match event:
            case SagaCompleted():
                self._ended(saga, SagaStatus.COMPLETED, age)
            case SagaCompensated():
                self._ended(saga, SagaStatus.COMPENSATED, age)
            case SagaFailed(step=step):
                self._ended(saga, SagaStatus.FAILED, age)
                undoing = before.status is SagaStatus.COMPENSATING
                self._attempts.labels(saga, step, "undo_refused" if undoing else "refused").inc()
            case (
                StepCompleted() | StepRefused() | StepTimedOut() | StepDelayed()
                | StepUndone() | UndoDelayed() | WaitExpired()
            ):  # fmt: skip
                self._attempts.labels(saga, event.step, _OUTCOMES[type(event)]).inc()
            case _:
                pass  # a beginning, or a command

    def show(self, counts: Mapping[str, SagaCounts]) -> None:
        """Show these until the next call, by the saga's name; none while they are not known."""
        self._open.counts = counts

    def _ended(self, saga: str, end: SagaStatus, age: timedelta) -> None:
        self._ends.labels(saga, end).observe(age.total_seconds())


_OUTCOMES: Final[Mapping[type[SagaEvent], str]] = {
    StepCompleted: "completed",
    StepRefused: "refused",
    StepTimedOut: "timed_out",
    StepDelayed: "delayed",
    StepUndone: "undone",
    UndoDelayed: "undo_delayed",
    WaitExpired: "expired",
}


class _Open(Collector):
    """Gauges of the sagas that are open; an unknown value has no sample, since 0 would be wrong."""

    counts: Mapping[str, SagaCounts] = {}

    def collect(self) -> Iterable[Metric]:
        at_work = _gauge("at_work", "Sagas at work.", "status")
        waiting = _gauge("waiting", "Sagas at work whose step waits, for an event or a moment.")
        stuck = _gauge(
            "stuck", "Sagas at work whose step, or its undoing, keeps failing.", "status"
        )
        overdue = _gauge("overdue", "Sagas that should have moved a minute ago: are they run?")
        failed = _gauge("failed", "Sagas that can neither go on nor compensate: a person must act.")
        for saga, counts in self.counts.items():
            for gauge, numbers in ((at_work, counts.at_work), (stuck, counts.stuck)):
                for status, number in numbers.items():
                    gauge.add_metric([saga, status], number)
            if counts.waiting is not None:
                waiting.add_metric([saga], counts.waiting)
            overdue.add_metric([saga], counts.overdue)
            failed.add_metric([saga], counts.failed)
        return at_work, waiting, stuck, overdue, failed


def _gauge(name: str, what: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"headwater_sagas_{name}", what, labels=["saga", *labels])
