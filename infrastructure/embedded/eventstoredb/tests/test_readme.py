"""The README is true: its examples run, and its table of options is that of the program."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

_README: Final = (Path(__file__).parents[1] / "README.md").read_text()
_EXAMPLES: Final = re.findall(r"```python\n(.*?)```", _README, re.DOTALL)


def run(*arguments: str, directory: Path) -> str:
    """What Python prints with these arguments; fails where it fails."""
    command = [sys.executable, *arguments]
    ran = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_example_for_pytest_runs(tmp_path: Path) -> None:
    """In a project of that one file, pytest finds the fixture by itself."""
    (example,) = (each for each in _EXAMPLES if "eventstoredb_uri" in each)
    (tmp_path / "test_orders.py").write_text(example)
    assert "1 passed" in run("-m", "pytest", "-p", "no:cacheprovider", directory=tmp_path)


def test_the_examples_of_a_process_run(tmp_path: Path) -> None:
    """The script that starts a node, and the one that loses a leader, run one after the other."""
    scripts = [each for each in _EXAMPLES if "eventstoredb_uri" not in each]
    assert len(scripts) == 2
    assert run("-c", "\n".join(scripts), directory=tmp_path).startswith("esdb://127.0.0.1:")


def test_every_option_is_in_the_table(tmp_path: Path) -> None:
    """The table has a row for each option of the program, and no other."""
    printed = run("-m", "embedded_eventstoredb", "--help", directory=tmp_path)
    options = set(re.findall(r"--[a-z-]+", printed)) - {"--help"}
    assert set(re.findall(r"^\| `(--[a-z-]+)", _README, re.MULTILINE)) == options
