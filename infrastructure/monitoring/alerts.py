"""Alert rules for Prometheus, of what a service declares and of what carries it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain  # only: bus
from typing import Any, Final, Literal

from application.projections.projection import Projection
from application.receiving.incoming import Incoming  # only: bus
from application.service import Service
from infrastructure import forwarder_metrics as forwarder  # only: bus
from infrastructure.metrics import PREFIX
from infrastructure.roles import Role

_RUNBOOKS: Final = "docs/operations/runbooks.md"
# only: bus
LATE: Final = 60.0
"""Seconds that an event of another party may wait on the bus."""
# end: bus


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
        bare = self.of == "whole" or not labels
        series = self.metric if bare else f"{self.metric}{{{labels}}}"
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
        (of,),
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


# only: bus
def alerts_of_publisher(incoming: Incoming) -> Iterator[Alert]:
    """The alerts of what is received from one other party."""
    name = incoming.publisher
    yield Alert(
        "NothingReceived",
        "headwater_receiving_hindered",
        (("publisher", name),),
        f"a process cannot receive the events of {name}: they wait on the bus",
        "nothing-is-received",
        for_minutes=5,
    )
    yield Alert(
        "ReceivedLate",
        "headwater_received_lag_seconds",
        (("publisher", name),),
        f"events of {name} wait for more than {LATE:g} s on the bus",
        "nothing-is-received",
        above=LATE,
        for_minutes=5,
        severity="warning",
    )


# end: bus
# only: postgres_events
HELD_BACK: Final = Alert(
    "EventsHeldBack",
    "headwater_event_store_held_back_seconds",
    (),
    "an open transaction keeps every reader from newer events",
    "events-that-are-held-back",
    above=30,  # the service's own transactions end before
)

# end: postgres_events
# only: search
SEARCH_HINDERED: Final = Alert(
    "SearchHindered",
    "headwater_read_models_apart_hindered",
    (),
    "the search server is away, has a red index, or a name there is another service's",
    "index-red",
    for_minutes=2,
)
# end: search
GROUPS_HINDERED: Final = Alert(
    "EventsReachNoGroup",
    "headwater_consumer_groups_hindered",
    (),
    "new events reach no consumer group: no saga and no reaction receives them",
    "events-that-reach-no-consumer-group",
    for_minutes=1,
)


# only: bus
FORWARDER: Final = (
    Alert(
        "ForwarderFailed",
        f"{forwarder.PREFIX}_failed",
        (),
        "no integration event is published; a person has to act",
        "event-that-cannot-be-published",
    ),
    Alert(
        "PublishedLate",
        f"{forwarder.PREFIX}_lag_seconds",
        (),
        "an integration event has not been published for a minute",
        "broker-down",
        above=60,
        for_minutes=1,
        severity="warning",
    ),
    Alert(
        "NoForwarder",
        f"(max (headwater_bus_configured) > 0 unless max ({forwarder.PREFIX}_active) > 0)",
        (),
        "a bus is set, and no process publishes integration events",
        "no-process-of-a-role",
        for_minutes=1,
        of="whole",
    ),
    Alert(
        "ForwarderFenced",
        f'sum by (kind) (rate({forwarder.PREFIX}_failures_total{{kind="fenced"}}[5m]))',
        (),
        "forwarders fence each other: two deployments publish the same",
        "fenced-forwarder",
        above=0.02,  # a second: more than a take-over, or a position that was moved
        for_minutes=5,
        severity="warning",
        of="whole",
    ),
)


# end: bus
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
        *chain.from_iterable(map(alerts_of_publisher, service.receives)),  # only: bus
        *map(alert_of_role, _roles_of(service)),
        HELD_BACK,  # only: postgres_events
        *([SEARCH_HINDERED] if _searches(service) else ()),  # only: search
        GROUPS_HINDERED,
        *(FORWARDER if service.publishes else ()),  # only: bus
    )


# only: search
def _searches(service: Service[Any]) -> bool:
    """Whether a read model of it can be kept in a search server."""
    return any(projection.searched for projection in service.read_models)


# end: search
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
