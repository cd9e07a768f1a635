"""A command line as a person uses it: real processes, real sockets, a directory of its own."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from infrastructure.settings import Settings
from infrastructure.settings.reading import names_of

PATIENCE = 120.0  # seconds in which what a test waits for has to come, on a busy machine too


def refusal(ended: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line in which a command said why it could not do its work."""
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    line = ended.stderr.strip()
    assert len(line.splitlines()) == 1, line
    return line


@dataclass(frozen=True)
class Service:
    """A ``run`` in its own process."""

    home: Path
    process: psutil.Popen
    output: Path

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def url(self) -> str:
        """Where it announced that it can be reached."""
        until(lambda: (self.home / "running.json").exists(), self)
        announced: dict[str, Any] = json.loads((self.home / "running.json").read_text())
        return str(announced["url"])

    def url_of(self, role: str) -> str:
        """Where the first process of that role answers for its health and metrics."""
        announced = json.loads((self.home / "running.json").read_text())["processes"]
        return next(str(one["url"]) for one in announced if one["role"] == role)

    def post(
        self, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a command; again, while it is told to come again: this machine may be very busy."""
        with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
            deadline = time.monotonic() + PATIENCE
            while True:
                answer = client.post(f"{self.url}{path}", json=body, headers=headers)
                if answer.status_code != 503 or time.monotonic() > deadline:
                    return answer
                time.sleep(0.1)

    @property
    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=PATIENCE).is_success
        except httpx.HTTPError:
            return False

    def get(self, path: str) -> dict[str, Any]:
        """What is answered there, be it that the read model does not know it yet."""
        answered: dict[str, Any] = httpx.get(f"{self.url}{path}", timeout=PATIENCE).json()
        return answered

    def wait_for_welcome(self) -> None:
        until(lambda: "Ctrl-C" in self.said, self)

    def child(self, command: str) -> psutil.Process | None:
        """The oldest of its processes with this in their command line, if there is one."""
        for process in self.process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if command in " ".join(process.cmdline()):
                    return process
        return None

    def end(self, sign: signal.Signals) -> int:
        """Send the signal; its exit code, once it and all its children are gone."""
        family = [self.process, *self.process.children(recursive=True)]
        self.process.send_signal(sign)
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert alive == [], "left behind"
        return int(self.process.wait())


@dataclass(frozen=True)
class CommandLine:
    """One program: what starts it, and its settings."""

    command: Sequence[str]
    settings: type[Settings]

    def run(
        self, home: Path, *arguments: str, command: Sequence[str] = (), **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; ``command``: what starts it, if it is another program."""
        return subprocess.run(
            [*(command or self.command), *arguments],
            env=self.environment(home, settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    @contextmanager
    def running(self, home: Path, *options: str, **settings: str) -> Iterator[Service]:
        """``run`` on any free ports. It is gone after the block, whatever happened."""
        output = home.with_suffix(".txt")
        with output.open("w") as file:
            process = psutil.Popen(
                [*self.command, "run", *options],
                env=self.environment(home, settings),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its Ctrl-C is not ours
            )
        try:
            yield Service(home, process, output)
        finally:
            if process.is_running():
                process.kill()
                process.wait()

    @contextmanager
    def serving(self, home: Path, *options: str, **servers: str) -> Iterator[psutil.Popen]:
        """``serve`` on these servers and any free port. It is gone after the block."""
        with home.with_suffix(".txt").open("w") as output:
            process = psutil.Popen(
                [*self.command, "serve", *options],
                env=self.environment(home, servers),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def environment(self, home: Path, settings: Mapping[str, str]) -> dict[str, str]:
        """Of a command in this home: nothing is set but by the test; any free ports are used."""
        fields = self.settings.model_fields
        theirs = {name for field in fields for name in names_of(self.settings, field)}
        others = {name: value for name, value in os.environ.items() if name not in theirs}
        own = {"home": str(home), "http_port": "0"}
        own["eventstoredb_port"] = "0"  # only: eventstoredb and embedded
        named = {self.settings.name_of(field): value for field, value in own.items()}
        return {**others, "COLUMNS": "200", **named, **settings}


def until(condition: Callable[[], bool], service: Service) -> None:
    """Return as soon as it holds; fail when it never does, or the service has ended."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert service.process.poll() is None, service.said
        assert time.monotonic() < deadline, service.said
        time.sleep(0.01)
