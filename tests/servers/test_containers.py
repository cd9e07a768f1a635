"""Servers as containers: the command that starts one, and ends it, without a Docker to run it."""

import json
import sys
from pathlib import Path

import pytest

from tests.servers import KAFKA
from tests.servers.containers import contained

DOCKER = """#!{python}
import json, pathlib, sys
_, *arguments = sys.argv
variables = pathlib.Path(arguments[arguments.index("--env-file") + 1]).read_text()
given = dict(line.split("=") for line in variables.splitlines())
with open({calls!r}, "a") as calls:
    print(json.dumps([arguments, given]), file=calls)
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls.jsonl"


@pytest.fixture
def program(tmp_path: Path, calls: Path) -> str:
    """A ``docker`` that writes down how it was called."""
    program = tmp_path / "docker"
    program.write_text(DOCKER.format(python=sys.executable, calls=str(calls)))
    program.chmod(0o755)
    return str(program)


def test_one_service_of_the_compose_file_starts_in_a_project_of_its_own(
    program: str, calls: Path
) -> None:
    """At a free port; it is removed with its volumes, and no other project is touched."""
    with contained(KAFKA, program) as address:
        pass

    (up, its), (down, of_the_same) = (json.loads(line) for line in calls.read_text().splitlines())
    assert address == f"127.0.0.1:{its['KAFKA_PORT']}"
    assert its["COMPOSE_PROJECT_NAME"] == of_the_same["COMPOSE_PROJECT_NAME"] != "headwater"
    assert up[:5] == ["compose", "-f", "docker-compose.yml", "--profile", "kafka"]
    assert up[-3:] == ["up", "--wait", "kafka"]
    assert down[-3:] == ["down", "--volumes", "kafka"]
