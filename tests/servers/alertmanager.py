"""Alertmanager, which hands alerts on to those who are called."""

import json
from pathlib import Path
from typing import Final

from tests.servers.installing import need
from tests.servers.server import LOCALHOST, Launch, Server, answers, free_ports

_PROGRAM: Final = ("prometheus-alertmanager", "prometheus-alertmanager")
_CONFIG: Final = {
    "route": {"receiver": "nowhere", "group_wait": "0s", "group_interval": "1s"},
    "receivers": [{"name": "nowhere"}],
}


def _require() -> None:
    need(*_PROGRAM)


def _launch(directory: Path) -> Launch:
    (port,) = free_ports(1)
    config = directory / "alertmanager.yml"
    config.write_text(json.dumps(_CONFIG))  # JSON is YAML
    options = {
        "config.file": config,
        "storage.path": directory / "data",
        "web.listen-address": f"{LOCALHOST}:{port}",
        "cluster.listen-address": "",  # else it opens a port for other Alertmanagers
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return Launch([need(*_PROGRAM), *arguments], f"http://{LOCALHOST}:{port}")


def _is_ready(url: str) -> bool:
    return answers(f"{url}/-/ready")


ALERTMANAGER: Final = Server(
    "alertmanager", "ALERTMANAGER_URI", _require, _require, _launch, _is_ready
)
