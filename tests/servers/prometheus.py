"""Prometheus, with the alerts of the service."""

import json
from pathlib import Path
from typing import Final

from tests.servers.installing import need
from tests.servers.server import LOCALHOST, Launch, Server, answers, free_ports

ALERTS: Final = Path(__file__).parents[2] / "docs/operations/alerts.yml"


def promtool() -> str:
    """The program that checks rules, or raises ``NotHere``."""
    return need("promtool", "prometheus")


def _require() -> None:
    need("prometheus", "prometheus")


def _launch(directory: Path) -> Launch:
    (port,) = free_ports(1)
    config = directory / "prometheus.yml"
    config.write_text(json.dumps({"rule_files": [str(ALERTS)]}))  # JSON is YAML
    options = {
        "config.file": config,
        "storage.tsdb.path": directory / "data",
        "web.listen-address": f"{LOCALHOST}:{port}",
    }
    program = [need("prometheus", "prometheus"), "--web.enable-lifecycle"]
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return Launch([*program, *arguments], f"http://{LOCALHOST}:{port}")


def _is_ready(url: str) -> bool:
    return answers(f"{url}/-/ready")


PROMETHEUS: Final = Server("prometheus", "PROMETHEUS_URI", _require, _require, _launch, _is_ready)
