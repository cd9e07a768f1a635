"""Alert rules for Prometheus: one that is too old, failed or unseen for each read model."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from application.projections import PROJECTIONS
from application.projections.projection import Projection
from infrastructure.metrics import PREFIX

_RUNBOOKS: Final = "docs/operations/runbooks.md"


@dataclass(frozen=True)
class Alert:
    """A metric that must not be above a limit for longer than a while."""

    name: str
    metric: str
    labels: tuple[tuple[str, str], ...]
    above: float
    for_minutes: int
    severity: str
    summary: str
    runbook: str

    @property
    def expression(self) -> str:
        """In PromQL: what is true of every series that it finds is wrong."""
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels)
        return f"{self.metric}{{{labels}}} > {self.above:g}"


def alerts_of(projection: Projection[Any]) -> Iterator[Alert]:
    """What may go wrong with one read model, by its own declaration."""
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
        summary=f"{name} is older than the {limit:g} s that it promises",
        runbook="lag-that-grows",
    )
    yield Alert(
        name="ProjectionFailed",
        metric=f"{PREFIX}_failed",
        labels=labels,
        above=0,
        for_minutes=0,
        severity="critical",
        summary=f"an event has stopped {name}; it waits for a person",
        runbook="poison-event",
    )
    yield Alert(
        name="ProjectionUnseen",
        metric=f"{PREFIX}_breached",
        labels=labels,
        above=0,
        for_minutes=5,
        severity="critical",
        summary=f"{name} breaks its promise for 5 minutes, or nobody runs it",
        runbook="stuck-projection",
    )


ALERTS: Final[Sequence[Alert]] = tuple(
    alert for projection in PROJECTIONS for alert in alerts_of(projection)
)


def rules() -> str:
    """All alerts as a Prometheus rule file (YAML; texts are quoted as JSON, which YAML reads)."""
    lines = ["groups:", "  - name: headwater", "    rules:"]
    for alert in ALERTS:
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {json.dumps(alert.expression)}",
            f"        for: {alert.for_minutes}m",
            "        labels:",
            f"          severity: {alert.severity}",
            "        annotations:",
            f"          summary: {json.dumps(alert.summary)}",
            f"          runbook: {json.dumps(f'{_RUNBOOKS}#{alert.runbook}')}",
        ]
    return "\n".join(lines) + "\n"
