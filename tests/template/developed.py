"""A service that somebody develops: made from the template, with commands that run in it.

Its programs are those of this environment, so that nothing is installed for it.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infrastructure.settings import Settings
from tests.e2e.command_line import CommandLine
from tests.template.service import render

PATIENCE: Final = 1200.0  # seconds for one command, on a busy machine too
_PERSON: Final = ("Ada", "ada@example.org")
_LATER: Final = 3600.0  # seconds by which the tools of make count as newer than what they are from


class Failed(AssertionError):
    """A command has ended with an error; the message has what it printed."""


class Developed:
    """A service in a directory. ``package``: also the name of its command."""

    def __init__(self, at: Path, package: str) -> None:
        self.at, self.package = at, package
        tools = Path(sys.executable).parent
        ours = {name: value for name, value in os.environ.items() if "HEADWATER_" not in name}
        self.environment = {
            **ours,
            "PYTHONPATH": f"{at}{os.pathsep}{self._installed()}",
            **{f"GIT_{who}_NAME": _PERSON[0] for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": _PERSON[1] for who in ("AUTHOR", "COMMITTER")},
        }
        self._programs = {
            "make": f"make BIN={tools}",
            f".venv/bin/{package}": f"{sys.executable} -m infrastructure.{package}",
            ".venv/bin/pytest": f"{sys.executable} -m pytest -q -p no:cacheprovider",
            ".venv/bin/ruff": str(tools / "ruff"),
        }

    def make(self, answers: Mapping[str, Any]) -> None:
        """Make it from the template as it stands here."""
        render(self.at, answers)
        later = time.time() + _LATER
        for name in (".dev", ".run"):  # what `make` needs is installed
            mark = self.at / ".venv" / name
            mark.parent.mkdir(exist_ok=True)
            mark.touch()
            os.utime(mark, (later, later))

    def run(self, line: str) -> str:
        """What a command prints, typed in its directory. Raises :class:`Failed`."""
        program, _, rest = line.partition(" ")
        ended = subprocess.run(
            shlex.split(f"{self._programs.get(program, program)} {rest}"),
            cwd=self.at,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if ended.returncode:
            raise Failed(f"$ {line}\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def command_line(self) -> CommandLine:
        """Its command, as a person uses it."""
        there = f"import os; os.chdir({str(self.at)!r})"
        begin = f"from infrastructure.{self.package}.__main__ import main; main()"
        return CommandLine((sys.executable, "-c", f"{there}; {begin}"), _Settings)

    def _installed(self) -> Path:
        """A directory in which the service counts as installed: it has a version."""
        beside = self.at.with_name(f"{self.at.name}-installed")
        about = beside / f"{self.package}-0.1.0.dist-info/METADATA"
        about.parent.mkdir(parents=True, exist_ok=True)
        about.write_text(f"Metadata-Version: 2.1\nName: {self.package}\nVersion: 0.1.0\n")
        return beside


class _Settings(Settings):
    """Only their names count here: each service has its own prefix."""

    prefix = "LENDING_"
