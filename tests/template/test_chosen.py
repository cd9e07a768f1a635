"""A service has what was chosen, whole, and nothing else."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.template.cells import Cell, cells
from tests.template.leftovers import leftovers
from tests.template.service import settled, write
from tests.template.tree import Entry
from tests.template.whole import whole

SOME = ("tiny", "nonsense")


@pytest.fixture(scope="module")
def files() -> Sequence[Entry]:
    return whole()


@pytest.mark.parametrize(
    "cell", [one for one in cells() if one.name in SOME], ids=lambda one: one.name
)
def test_a_service_has_nothing_that_was_not_chosen(
    cell: Cell, files: Sequence[Entry], tmp_path: Path
) -> None:
    """No word of it is left over, in any file or path, and what is there is well-formed."""
    answers = settled(cell.answers)
    write(files, tmp_path, answers)
    assert [*leftovers(tmp_path, answers)] == []
    assert not [str(file) for file in tmp_path.rglob("*") if "@@" in file.name]
    for check in (("ruff", "check", "--no-cache"), ("ruff", "format", "--check", "--no-cache")):
        ran = subprocess.run(
            (Path(sys.executable).with_name(check[0]), *check[1:], "."),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout
