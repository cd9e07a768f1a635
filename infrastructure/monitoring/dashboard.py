"""A Grafana dashboard of a service: read models, commands, appends, requests, sagas …

Of what several processes know, it shows the largest; of what each has counted, the sum.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from application.service import Service
from infrastructure.metrics import PREFIX

_LIVE: Final = '{role="live"}'
_DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_PER_ROW, _WIDTH, _HEIGHT = 2, 12, 8

# title, unit, then each curve: legend and query
_PANELS: Final[Sequence[tuple[str, str, Mapping[str, str]]]] = (
    ("Lag", "s", {"{{projection}}": f"max by (projection) ({PREFIX}_lag_seconds{_LIVE})"}),
    ("Events behind", "short", {"{{build}}": f"max by (build) ({PREFIX}_lag_events)"}),
    ("Events handled", "ops", {"{{build}}": f"max by (build) ({PREFIX}_events_per_second)"}),
    (
        "Failures, and breaches of the limit",
        "short",
        {
            "{{projection}} failed": f"max by (projection) ({PREFIX}_failed{_LIVE})",
            "{{projection}} breaches": "max by (projection) "
            f"(increase({PREFIX}_staleness_breaches_total[5m]))",
        },
    ),
    # only: search
    (
        "Read models in a search server: hindered",
        "short",
        {"{{check}}": "max by (check) (headwater_read_models_apart_hindered)"},
    ),
    # end: search
    (
        "Commands",
        "ops",
        {"{{outcome}}": "sum by (outcome) (rate(headwater_command_seconds_count[1m]))"},
    ),
    (
        "Command duration, p99",
        "s",
        {
            "{{command}}": "histogram_quantile(0.99, "
            "sum by (le, command) (rate(headwater_command_seconds_bucket[5m])))"
        },
    ),
    (
        "Append conflicts",
        "ops",
        {"{{category}}": "sum by (category) (rate(headwater_append_conflicts_total[5m]))"},
    ),
    (
        "Snapshots discarded",
        "ops",
        {"{{category}}": "sum by (category) (rate(headwater_useless_snapshots_total[5m]))"},
    ),
    # only: postgres_events
    (
        "Events held back by open transactions",
        "short",
        {
            "events": "max (headwater_event_store_held_back_events)",
            "for seconds": "max (headwater_event_store_held_back_seconds)",
        },
    ),
    # end: postgres_events
    # only: postgres_events or dynamodb_events
    (
        "Appends in one transaction",
        "short",
        {
            f"p{of}": f"histogram_quantile(0.{of}, "
            "sum by (le) (rate(headwater_event_store_group_commit_appends_bucket[5m])))"
            for of in (50, 99)
        },
    ),
    # end: postgres_events or dynamodb_events
    # only: postgres_events
    (
        "Listeners lost",
        "short",
        {"lost": "sum (increase(headwater_event_store_lost_listeners_total[5m]))"},
    ),
    # end: postgres_events
    ("Processes", "short", {"{{role}}": "sum by (role) (headwater_process_role)"}),
    (
        "Requests",
        "reqps",
        {"{{status}}": "sum by (status) (rate(headwater_http_request_seconds_count[1m]))"},
    ),
    (
        "Open sagas",
        "short",
        {
            "{{saga}} {{status}}": "max by (saga, status) (headwater_sagas_at_work)",
            "{{saga}} waiting": "max by (saga) (headwater_sagas_waiting)",
            "{{saga}} {{status}}, stuck": "max by (saga, status) (headwater_sagas_stuck)",
            "{{saga}} overdue": "max by (saga) (headwater_sagas_overdue)",
            "{{saga}} failed": "max by (saga) (headwater_sagas_failed)",
        },
    ),
    (
        "Ended sagas",
        "ops",
        {"{{saga}} {{end}}": "sum by (saga, end) (rate(headwater_saga_seconds_count[1m]))"},
    ),
    (
        "Saga duration",
        "s",
        {
            f"{{{{saga}}}} {{{{end}}}}, p{of}": f"histogram_quantile(0.{of}, "
            "sum by (le, saga, end) (rate(headwater_saga_seconds_bucket[5m])))"
            for of in (50, 99)
        },
    ),
    (
        "Failed attempts at steps",
        "ops",
        {
            "{{saga}}, {{step}}: {{outcome}}": "sum by (saga, step, outcome) (rate("
            'headwater_saga_attempts_total{outcome!~"completed|undone"}[5m]))'
        },
    ),
    # only: bus
    (
        "Records of other parties",
        "ops",
        {
            "{{publisher}}: {{outcome}}": "sum by (publisher, outcome) "
            "(rate(headwater_received_records_total[1m]))"
        },
    ),
    (
        "Records of other parties that wait",
        "short",
        {
            "{{publisher}}": "sum by (publisher) (headwater_received_lag_records)",
            "{{publisher}}, seconds": "max by (publisher) (headwater_received_lag_seconds)",
        },
    ),
    (
        "Integration events: lag",
        "s",
        {
            "lag": "max (headwater_forwarder_lag_seconds)",
            "needs a person": "max (headwater_forwarder_failed)",
        },
    ),
    (
        "Integration events: published",
        "ops",
        {
            "published": "sum (rate(headwater_forwarder_published_total[1m]))",
            "{{kind}}": "sum by (kind) (rate(headwater_forwarder_failures_total[5m]))",
        },
    ),
    # end: bus
)


def dashboard(service: Service[Any]) -> str:
    """As JSON, to be imported into Grafana 10 or later."""
    seconds_of = {p.name: p.max_staleness.total_seconds() for p in service.read_models}
    limits = ", ".join(f"{name} {seconds:g} s" for name, seconds in seconds_of.items())
    return (
        json.dumps(
            {
                "title": service.name.capitalize(),
                "uid": service.name,
                "description": f"Limits of lag: {limits}.",
                "schemaVersion": 39,
                "refresh": "10s",
                "time": {"from": "now-1h", "to": "now"},
                "templating": {"list": [_datasource()]},
                "panels": [_panel(number, *panel) for number, panel in enumerate(_PANELS)],
            },
            indent=2,
        )
        + "\n"
    )


def _datasource() -> Mapping[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus"}


def _panel(number: int, title: str, unit: str, curves: Mapping[str, str]) -> Mapping[str, Any]:
    row, column = divmod(number, _PER_ROW)
    return {
        "id": number + 1,
        "title": title,
        "type": "timeseries",
        "datasource": _DATASOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "legendFormat": legend, "expr": query}
            for index, (legend, query) in enumerate(curves.items())
        ],
    }
