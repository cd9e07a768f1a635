"""A DynamoDB: the one that ``DYNAMODB_URI`` names, or ministack, a double in memory."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READY_WITHIN = 60.0  # seconds


def ministack() -> str | None:
    """The program, where it is installed."""
    installed = Path(".headwater/servers/ministack/bin/ministack")
    return str(installed) if installed.exists() else shutil.which("ministack")


@contextmanager
def dynamodb_server() -> Iterator[str]:
    """The address of a server, for as long as the context lasts."""
    if given := os.environ.get("DYNAMODB_URI"):
        yield given
        return
    program = ministack()
    assert program is not None, "ministack is not installed"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    server = subprocess.Popen(
        [program], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_ready(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _until_ready(uri: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _READY_WITHIN
    while True:
        assert server.poll() is None, "ministack has ended"
        try:
            with urllib.request.urlopen(f"{uri}/_ministack/health"):
                return
        except OSError:
            assert time.monotonic() < end, "ministack does not get ready"
            time.sleep(0.05)
