"""DynamoDB by ministack: a double, and a strict one. It keeps everything in memory."""

from pathlib import Path
from typing import Final

from tests.servers.installing import home, install_wheel
from tests.servers.server import LOCALHOST, Launch, NotHere, Server, answers, free_ports

_NAME: Final = "dynamodb"
_PACKAGE: Final = "ministack==1.5.33"  # in an environment of its own: it pins another botocore


def _program() -> str:
    program = home() / _NAME / "venv/bin/ministack"
    if not program.exists():
        raise NotHere("(ministack) is not installed: `make servers` does that")
    return str(program)


def _require() -> None:
    _program()


def _install() -> None:
    try:
        _program()
    except NotHere:
        install_wheel(home() / _NAME, "venv", _PACKAGE)


def _launch(_: Path) -> Launch:
    (port,) = free_ports(1)
    environment = {"BIND_HOST": LOCALHOST, "GATEWAY_PORT": str(port)}
    python = str(Path(_program()).with_name("python"))  # the script names where it was drafted
    command = [python, _program()]
    return Launch(command, f"http://{LOCALHOST}:{port}", environment)


def _is_ready(url: str) -> bool:
    return answers(f"{url}/_ministack/health")


DYNAMODB: Final = Server(_NAME, "DYNAMODB_URI", _require, _install, _launch, _is_ready)
