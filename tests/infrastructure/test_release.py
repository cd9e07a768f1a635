"""What ``--version`` says."""

import tomllib  # only: reference
from pathlib import Path
from typing import Any

import pytest

from infrastructure.program import Program
from infrastructure.release import KIT, described
from tests.sample.program import BANK


def of(program: Program[Any], checkout: Path) -> str:
    return described(program.service.name, program.distribution, checkout)


def test_a_service_says_its_version_and_that_of_its_kit(tmp_path: Path) -> None:
    """Without answers of the template, nothing is said of one."""
    shown = of(BANK, tmp_path)

    assert shown.startswith(f"{BANK.service.name} ")
    assert shown.endswith(f" (kit {KIT})")


@pytest.mark.parametrize("line", ["_commit: v0.2.0", "_commit: 'v0.2.0'", '_commit: "v0.2.0"  # x'])
def test_a_service_says_from_which_release_it_was_made(tmp_path: Path, line: str) -> None:
    """As the template's answers have it."""
    (tmp_path / ".copier-answers.yml").write_text(f"# changed by copier\n{line}\nname: x\n")

    assert of(BANK, tmp_path).endswith(f"(kit {KIT}, made from v0.2.0 of the template)")


def test_answers_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    """The version is asked for when something is wrong: it never fails."""
    for content in (b"", b"\xff\xfe", b"_commit:\n"):
        (tmp_path / ".copier-answers.yml").write_bytes(content)
        assert "template" not in of(BANK, tmp_path)


# only: reference
def test_the_kit_has_the_version_of_this_project() -> None:
    """A release changes both."""
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())
    assert project["project"]["version"] == KIT


# end: reference
