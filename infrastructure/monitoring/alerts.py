"""Alert rules for Prometheus, of read models, sagas and consumer groups."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from application.projections.projection import Projection
from application.service import Service
from infrastructure.metrics import PREFIX

_RUNBOOKS: Final = "docs/operations/runbooks.md"


@dataclass(frozen=True)
class Alert:
    """A metric that fires when it is above a limit for some minutes."""

    name: str
    metric: str  # its name; or an expression over several, which has its labels within
    labels: tuple[tuple[str, str], ...]
    above: float
    for_minutes: int
    severity: str
    summary: str
    runbook: str

    @property
    def expression(self) -> str:
        """In PromQL: every series that it finds is an alert."""
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels)
        series = f"{self.metric}{{{labels}}}" if labels else self.metric
        return f"{series} > {self.above:g}"


def alerts_of(projection: Projection[Any]) -> Iterator[Alert]:
    """The alerts of one read model, with the limit that it declares."""
    name = projection.name
    labels = (("projection", name), ("role", "live"))
    limit = projection.max_staleness.total_seconds()
    yield Alert(
        name="ProjectionTooOld",
        metric=f"{PREFIX}_lag_seconds",
        labels=labels,
        above=limit,
        for_minutes=1,
        severity="warning",
        summary=f"{name} is more than {limit:g} s behind, which is its limit",
        runbook="lag-that-grows",
    )
    yield Alert(
        name="ProjectionFailed",
        metric=f"{PREFIX}_failed",
        labels=labels,
        above=0,
        for_minutes=0,
        severity="critical",
        summary=f"{name} has stopped at an event that it cannot handle; a person has to act",
        runbook="poison-event",
    )
    yield Alert(
        name="ProjectionUnseen",
        metric=f"{PREFIX}_breached",
        labels=labels,
        above=0,
        for_minutes=5,
        severity="critical",
        summary=f"{name} has been behind its limit for 5 minutes, or no process runs it",
        runbook="stuck-projection",
    )


def alerts_of_saga(saga: str) -> Iterator[Alert]:
    """The alerts of all sagas of one name."""
    of = ("saga", saga)
    yield Alert(
        name="SagaFailed",
        metric="headwater_sagas_failed",
        labels=(of,),
        above=0,
        for_minutes=0,
        severity="critical",
        summary=f"a saga of {saga} can neither continue nor compensate; a person has to act",
        runbook="failed-compensation",
    )
    yield Alert(
        name="CompensationFailing",
        metric="headwater_sagas_stuck",
        labels=(of, ("status", "compensating")),
        above=0,
        for_minutes=0,
        severity="critical",
        summary=f"undoing a step of {saga} has failed several times; it is retried without end",
        runbook="failed-compensation",
    )
    yield Alert(
        name="SagaStuck",
        metric="headwater_sagas_stuck",
        labels=(of, ("status", "running")),
        above=0,
        for_minutes=0,
        severity="warning",
        summary=f"a step of {saga} has failed several times; the saga compensates at its timeout",
        runbook="stuck-saga",
    )
    yield Alert(
        name="SagaOverdue",
        metric="headwater_sagas_overdue",
        labels=(of,),
        above=0,
        for_minutes=1,
        severity="critical",
        summary=f"a saga of {saga} is overdue: no process works on it",
        runbook="stuck-saga",
    )
    attempts = f'sum by (saga, step) (rate(headwater_saga_attempts_total{{saga="{saga}",'
    yield Alert(
        name="SagaStepFailing",
        metric=f'{attempts}outcome=~"delayed|timed_out"}}[5m])) '
        f'/ {attempts}outcome!~"undo.*"}}[5m]))',
        labels=(),
        above=0.1,
        for_minutes=5,
        severity="warning",
        summary=f"more than a tenth of the attempts at a step of {saga} fail (refusals apart)",
        runbook="stuck-saga",
    )


def alert_of_group(group: str) -> Alert:
    """The alert of one consumer group."""
    return Alert(
        name="EventsParked",
        metric="headwater_parked_events",
        labels=(("group", group),),
        above=0,
        for_minutes=0,
        severity="critical",
        summary=f"{group} has parked an event; later ones of its stream wait until a person acts",
        runbook="parked-events",
    )


HELD_BACK: Final = Alert(
    name="EventsHeldBack",
    metric="headwater_event_store_held_back_seconds",
    labels=(),
    above=30,  # the service's own transactions end before
    for_minutes=0,
    severity="critical",
    summary="an open transaction keeps every reader from newer events",
    runbook="events-that-are-held-back",
)

GROUPS_HINDERED: Final = Alert(
    name="EventsReachNoGroup",
    metric="headwater_consumer_groups_hindered",
    labels=(),
    above=0,
    for_minutes=1,
    severity="critical",
    summary="new events reach no consumer group: no saga and no reaction receives them",
    runbook="events-that-reach-no-consumer-group",
)


def alerts(service: Service[Any]) -> Sequence[Alert]:
    """All that may go wrong with what this service declares."""
    return (
        *(
            alert
            for projection in {of.name: of for of in service.read_models}.values()
            for alert in alerts_of(projection)
        ),
        *(alert for saga in service.versions for alert in alerts_of_saga(saga)),
        *map(alert_of_group, service.groups),
        HELD_BACK,
        GROUPS_HINDERED,
    )


def rules(service: Service[Any]) -> str:
    """All alerts as a Prometheus rule file (YAML; texts are quoted as JSON, which YAML reads)."""
    lines = ["groups:", "  - name: headwater", "    rules:"]
    for alert in alerts(service):
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {json.dumps(alert.expression)}",
            f"        for: {alert.for_minutes}m",
            "        labels:",
            f"          severity: {alert.severity}",
            *(f"          {name}: {json.dumps(value)}" for name, value in alert.labels),
            "        annotations:",
            f"          summary: {json.dumps(alert.summary)}",
            f"          runbook: {json.dumps(f'{_RUNBOOKS}#{alert.runbook}')}",
        ]
    return "\n".join(lines) + "\n"
