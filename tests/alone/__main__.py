"""The kit without the shop: ``python -m tests.alone``, or ``make kit-alone``.

Makes a copy of the repository in which a service of a few lines has taken the shop's place, and
runs ``make check`` and all tests in it. Given a DIRECTORY, it only makes the copy, and keeps it.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.alone.steps import STEPS, standing_on_the_shop
from tests.code_names import ROOMS

MAKE: Final = ("make", "--assume-old=.venv/.dev", f"BIN={Path(sys.executable).parent}")


def main(arguments: Sequence[str]) -> int:
    if arguments:
        make(Path(arguments[0]))
        return 0
    with tempfile.TemporaryDirectory(prefix="kit-alone-") as directory:
        at = Path(directory)
        make(at)
        return check(at)


def make(at: Path) -> None:
    """Take every step, then print the references anew, as ``make`` does after any change."""
    for step in STEPS:
        step(at)
    run(at, *MAKE, "reference")


def check(at: Path) -> int:
    """What remains, in numbers; then ``make check`` and all tests. The exit code."""
    left = standing_on_the_shop(at)
    for module in left:
        print(f"stands on the shop: {module}")
        (at / module).unlink()
    for room in ROOMS:
        lines = [len(file.read_text().splitlines()) for file in (at / room).rglob("*.py")]
        print(f"{room:<16}{len(lines):>5} files {sum(lines):>7,} lines")
    failed = [
        command for command in (("check",), ("test",)) if run(at, *MAKE, *command, check=False)
    ]
    print("red:" if failed else "green", *failed)
    return 1 if failed or left else 0


def run(at: Path, *command: str, check: bool = True) -> int:
    """In the copy, with the copy's modules before those that are installed."""
    environment = {**os.environ, "PYTHONPATH": str(at)}
    return subprocess.run(command, cwd=at, env=environment, check=check).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
