"""Makes services with all pairs of answers, and has each check itself: ``make template-matrix``."""

import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.template.cells import Cell
from tests.template.leftovers import leftovers
from tests.template.service import render

PATIENCE: Final = 3600.0  # seconds for one step


@dataclass(frozen=True)
class Step:
    """What was done in a cell, how it ended, and how long it took."""

    name: str
    passed: bool
    seconds: float


def run(cells: Sequence[Cell], at: Path, *, shared: bool, fast: bool) -> bool:
    """Run these cells, one after the other, and print each; whether all passed.

    Each service has a virtual environment of its own, with the packages that it pins. With
    ``shared`` all use the packages of this one: sooner, but a missing dependency is not seen.
    With ``fast`` none runs in full.
    """
    start, passed = time.monotonic(), True
    for cell in cells:
        print(f"{cell.name}: {', '.join(f'{n}={v}' for n, v in cell.answers.items())}", flush=True)
        for step in steps(cell, at / cell.name, shared=shared, fast=fast):
            ended = "passed" if step.passed else f"FAILED: {at / cell.name}-{step.name}.txt"
            print(f"    {step.name:<10} {step.seconds:6.0f} s  {ended}", flush=True)
            passed &= step.passed
    print(f"{len(cells)} services in {time.monotonic() - start:.0f} s", flush=True)
    return passed


def steps(cell: Cell, at: Path, *, shared: bool, fast: bool) -> Iterator[Step]:
    """Make the service, then look at it, check it, and run its tests."""
    start = time.monotonic()
    answers = render(at, cell.answers)
    found = [*leftovers(at, answers)]
    Path(f"{at}-made.txt").write_text("\n".join(found))
    yield Step("made", not found, time.monotonic() - start)
    subprocess.run(("git", "init", "-q"), cwd=at, check=True)
    subprocess.run(("git", "add", "-A"), cwd=at, check=True)
    if shared:
        as_if_set_up(at)
    for target in ("check", "test" if cell.full and not fast else "fast"):
        yield made(target, at, shared=shared)
    yield _current(at, shared=shared)


def made(target: str, at: Path, *, shared: bool) -> Step:
    """Run a target of a service's Makefile; its output is beside the service."""
    start = time.monotonic()
    with Path(f"{at}-{target}.txt").open("w") as log:
        ended = subprocess.run(
            ("make", *_with(shared), target),
            cwd=at,
            env=_environment(at),
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
    return Step(target, ended.returncode == 0, time.monotonic() - start)


def _current(at: Path, *, shared: bool) -> Step:
    """What the service prints of itself is what it came with, or has printed at first."""
    subprocess.run(("git", "add", "-A"), cwd=at, check=True)
    step = made("reference", at, shared=shared)
    changed = subprocess.run(
        ("git", "diff", "--exit-code"), cwd=at, capture_output=True, check=False
    )
    with Path(f"{at}-reference.txt").open("ab") as log:
        log.write(changed.stdout)
    return Step("reference", step.passed and changed.returncode == 0, step.seconds)


def _with(shared: bool) -> Sequence[str]:
    """The variables of make."""
    return (f"BIN={Path(sys.executable).parent}",) if shared else ()


def as_if_set_up(at: Path) -> None:
    """Marks of a virtual environment, so that make does not set one up."""
    (at / ".venv").mkdir()
    for mark in (".run", ".dev"):
        (at / ".venv" / mark).touch()
    project = tomllib.loads((at / "pyproject.toml").read_text())["project"]
    named = project["name"].replace("-", "_")
    installed = at / ".venv" / f"{named}-{project['version']}.dist-info"
    installed.mkdir()
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (installed / "METADATA").write_text(about)


def _environment(at: Path) -> dict[str, str]:
    """Of a service: its own modules come first, and nothing of this one's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER_")}
    return {**kept, "PYTHONPATH": f"{at}:{at / '.venv'}"}


def kept_in(directory: Path | None) -> Path:
    """Where the services are made, and stay to be looked at."""
    at = directory or Path(tempfile.mkdtemp(prefix="template-matrix-"))
    at.mkdir(parents=True, exist_ok=True)
    return at
