"""The pages of *tiny* and *none* are formatted, whatever the names are."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest

from tests.code_names import ROOT
from tests.template.in_the_template import files

NAMES = {
    "short": ("acme", "bed", "beds"),
    "long": ("zoological_gardens_of_the_city", "veterinarian_visitor", "veterinarian_visitors"),
    "late": ("tests_of_water", "sample", "samples"),
}


def rendered(example: bool, package: str, aggregate: str, plural: str) -> dict[str, str]:
    """The pages as copier makes them."""
    environment = jinja2.Environment(
        variable_start_string="@@{",
        variable_end_string="}@@",
        block_start_string="@@%",
        block_end_string="%@@",
        keep_trailing_newline=True,
    )
    answers: dict[str, Any] = {
        "package": package,
        "cli": package.replace("_", "-"),
        "name": "A Service",
        "description": "Does one thing. " * (1 if len(package) < 9 else 7),
        "aggregate": aggregate,
        "aggregates": plural,
    }
    return {
        environment.from_string(path).render(answers): environment.from_string(text).render(answers)
        for path, text in files(example=example).items()
    }


@pytest.mark.parametrize("example", [True, False], ids=["tiny", "none"])
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_ruff_has_nothing_to_say(
    names: tuple[str, str, str], example: bool, tmp_path: Path
) -> None:
    """Nobody can format what copier writes: it is formatted and sorted for any names."""
    for path, text in rendered(example, *names).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    ruff = str(Path(sys.executable).parent / "ruff")
    known = "lint.isort.known-first-party=['domain','application','infrastructure','tests']"
    for command in (("check", "--config", known), ("format", "--diff")):
        ended = subprocess.run(
            (ruff, *command, "--no-cache", "."),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
