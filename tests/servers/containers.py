"""A server of the compose file, where this machine has Docker but cannot install the server.

No Docker was there when this was written: it has not started a container yet.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

import docker  # type: ignore[import-untyped]  # docker ships no types
from docker.errors import DockerException  # type: ignore[import-untyped]  # as above
from testcontainers.compose import DockerCompose

from tests.servers.server import LOCALHOST, Server, free_ports

_ROOT: Final = Path(__file__).parents[2]


@cache
def no_docker() -> str | None:
    """Why no container can be started, or nothing if one can."""
    try:
        docker.from_env(timeout=5).ping()
    except DockerException:
        return "no Docker on this machine"
    return None


@contextmanager
def contained(server: Server, program: str | None = None) -> Iterator[str]:
    """The address of a new one: the service that has its name, at a port of its own.

    It belongs to a project of its own, so that what runs by ``docker compose up`` is left alone.
    ``program`` stands in for ``docker``.
    """
    (port,) = free_ports(1)
    project = {"COMPOSE_PROJECT_NAME": f"test-{uuid4().hex}", f"{server.name.upper()}_PORT": port}
    with tempfile.TemporaryDirectory() as directory:
        variables = Path(directory) / "variables.env"
        variables.write_text("".join(f"{name}={value}\n" for name, value in project.items()))
        with DockerCompose(
            _ROOT,
            "docker-compose.yml",
            env_file=str(variables),
            services=[server.name],
            profiles=[server.name],
            docker_command_path=program,
        ):
            yield server.form.format(f"{LOCALHOST}:{port}")
