"""Alert rules for Prometheus, of read models, sagas and consumer groups."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from application.projections.projection import Projection
from application.service import Service
from infrastructure.metrics import PREFIX
from infrastructure.roles import Role

_RUNBOOKS: Final = "docs/operations/runbooks.md"


@dataclass(frozen=True)
class Alert:
    """A metric that fires when it is above a limit for some minutes.

    Each process shows what it knows, and several may know the same: the largest value counts.
    """

    name: str
    metric: str  # its name; of ``whole``, an expression which has its labels within
    labels: tuple[tuple[str, str], ...]
    summary: str
    runbook: str
    above: float = 0
    for_minutes: int = 0
    severity: str = "critical"
    of: Literal["max", "absent", "whole"] = "max"

    @property
    def expression(self) -> str:
        """In PromQL: every series that it finds is an alert."""
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels)
        series = f"{self.metric}{{{labels}}}" if labels else self.metric
        return f"{self._over_processes(series)} > {self.above:g}"

    def _over_processes(self, series: str) -> str:
        match self.of:
            case "whole":
                return series
            case "absent":
                return f"absent({series})"
        by = f" by ({', '.join(name for name, _ in self.labels)})" if self.labels else ""
        return f"max{by} ({series})"


def alerts_of(projection: Projection[Any]) -> Iterator[Alert]:
    """The alerts of one read model, with the limit that it declares."""
    name, limit = projection.name, projection.max_staleness.total_seconds()
    labels = (("projection", name), ("role", "live"))
    yield Alert(
        "ProjectionTooOld",
        f"{PREFIX}_lag_seconds",
        labels,
        f"{name} is more than {limit:g} s behind, which is its limit",
        "lag-that-grows",
        above=limit,
        for_minutes=1,
        severity="warning",
    )
    yield Alert(
        "ProjectionFailed",
        f"{PREFIX}_failed",
        labels,
        f"{name} has stopped at an event that it cannot handle; a person has to act",
        "poison-event",
    )
    yield Alert(
        "ProjectionUnseen",
        f"{PREFIX}_breached",
        labels,
        f"{name} has been behind its limit for 5 minutes, or no process runs it",
        "stuck-projection",
        for_minutes=5,
    )


def alerts_of_saga(saga: str) -> Iterator[Alert]:
    """The alerts of all sagas of one name."""
    of = ("saga", saga)
    yield Alert(
        "SagaFailed",
        "headwater_sagas_failed",
        (of,),
        f"a saga of {saga} can neither continue nor compensate; a person has to act",
        "failed-compensation",
    )
    yield Alert(
        "CompensationFailing",
        "headwater_sagas_stuck",
        (of, ("status", "compensating")),
        f"undoing a step of {saga} has failed several times; it is retried without end",
        "failed-compensation",
    )
    yield Alert(
        "SagaStuck",
        "headwater_sagas_stuck",
        (of, ("status", "running")),
        f"a step of {saga} has failed several times; the saga compensates at its timeout",
        "stuck-saga",
        severity="warning",
    )
    yield Alert(
        "SagaOverdue",
        "headwater_sagas_overdue",
        (of,),
        f"a saga of {saga} is overdue: no process works on it",
        "stuck-saga",
        for_minutes=1,
    )
    attempts = f'sum by (saga, step) (rate(headwater_saga_attempts_total{{saga="{saga}",'
    yield Alert(
        "SagaStepFailing",
        f'{attempts}outcome=~"delayed|timed_out"}}[5m])) / {attempts}outcome!~"undo.*"}}[5m]))',
        (),
        f"more than a tenth of the attempts at a step of {saga} fail (refusals apart)",
        "stuck-saga",
        above=0.1,
        for_minutes=5,
        severity="warning",
        of="whole",
    )


def alert_of_role(role: Role) -> Alert:
    """The alert of one role of processes."""
    return Alert(
        "NoProcess",
        "headwater_process_role",
        (("role", role),),
        f"no process has the role {role}",
        "no-process-of-a-role",
        for_minutes=1,
        of="absent",
    )


def alert_of_group(group: str) -> Alert:
    """The alert of one consumer group."""
    return Alert(
        "EventsParked",
        "headwater_parked_events",
        (("group", group),),
        f"{group} has parked an event; later ones of its stream wait until a person acts",
        "parked-events",
    )


HELD_BACK: Final = Alert(
    "EventsHeldBack",
    "headwater_event_store_held_back_seconds",
    (),
    "an open transaction keeps every reader from newer events",
    "events-that-are-held-back",
    above=30,  # the service's own transactions end before
)

GROUPS_HINDERED: Final = Alert(
    "EventsReachNoGroup",
    "headwater_consumer_groups_hindered",
    (),
    "new events reach no consumer group: no saga and no reaction receives them",
    "events-that-reach-no-consumer-group",
    for_minutes=1,
)


def alerts(service: Service[Any]) -> Sequence[Alert]:
    """All alerts of what this service declares."""
    return (
        *(
            alert
            for projection in {of.name: of for of in service.read_models}.values()
            for alert in alerts_of(projection)
        ),
        *(alert for saga in service.versions for alert in alerts_of_saga(saga)),
        *map(alert_of_group, service.groups),
        *map(alert_of_role, _roles_of(service)),
        HELD_BACK,
        GROUPS_HINDERED,
    )


def _roles_of(service: Service[Any]) -> Sequence[Role]:
    """The roles without which this service would not do all its work."""
    views = [Role.PROJECTIONS] if service.read_models else []
    return [Role.API, *views, *([Role.SAGAS] if service.groups else [])]


def rules(service: Service[Any]) -> str:
    """All alerts as a Prometheus rule file (YAML; texts are quoted as JSON, which YAML reads)."""
    lines = ["groups:", f"  - name: {service.name}", "    rules:"]
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
