"""The kit without the shop: ``make kit-alone``.

    python -m tests.alone                    make check and make test, where the shop is gone
    python -m tests.alone fast               make check and make fast
    python -m tests.alone --into DIRECTORY   only makes that repository, and keeps it

A copy of the repository, in which a service of a few lines has taken the shop's place.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.alone.steps import STEPS
from tests.code_names import ROOMS

MAKE: Final = ("make", "--assume-old=.venv/.dev", f"BIN={Path(sys.executable).parent}")


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["--into"]:
        make(Path(arguments[1]))
        return 0
    with tempfile.TemporaryDirectory(prefix="kit-alone-") as directory:
        at = Path(directory)
        make(at)
        return check(at, *(arguments or ["test"]))


def make(at: Path) -> None:
    """Take every step, then print the references anew, as ``make`` does after any change."""
    for step in STEPS:
        step(at)
    run(at, *MAKE, "reference")


def check(at: Path, tests: str) -> int:
    """What remains, in numbers; then ``make check`` and these tests. The exit code."""
    for room in ROOMS:
        lines = [len(file.read_text().splitlines()) for file in (at / room).rglob("*.py")]
        print(f"{room:<16}{len(lines):>5} files {sum(lines):>7,} lines", flush=True)
    return max(run(at, *MAKE, target, check=False) for target in ("check", tests))


def run(at: Path, *command: str, check: bool = True) -> int:
    """In the copy, with the copy's modules before those that are installed."""
    environment = {**os.environ, "PYTHONPATH": str(at)}
    return subprocess.run(command, cwd=at, env=environment, check=check).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
