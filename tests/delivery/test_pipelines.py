"""What runs at the forge, and before a commit, is what a developer can run, with no more rights."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest  # only: github
import yaml

from tests.documentation import ROOT

WORKFLOWS: Final = sorted(ROOT.glob(".github/workflows/*.yml"))  # only: github
_TARGETS: Final = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def _read(file: Path) -> Mapping[Any, Any]:
    document: Mapping[Any, Any] = yaml.safe_load(file.read_text())
    return document


# only: github
@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_may_only_read(file: Path) -> None:
    """Neither a workflow nor a job of it has more rights, and no credentials are left behind."""
    workflow = _read(file)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert 0 < job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if "actions/checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned(file: Path) -> None:
    """By the hash of a commit, which nobody can move, with the full version beside it."""
    for use in re.findall(r"uses: (.+)", file.read_text()):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_each_step_is_a_command_that_is_there(file: Path) -> None:
    """A step runs `.ci/run`, or a target of the Makefile."""
    steps = [step for job in _read(file)["jobs"].values() for step in job["steps"]]
    for command in (step["run"] for step in steps if "run" in step):
        program, argument = command.split()
        assert (program, argument) == ("bash", ".ci/run") or (
            program == "make" and argument in _TARGETS
        )


# end: github
def test_hooks_are_the_tools_that_are_pinned() -> None:
    """Nothing is fetched for a hook: all run from the virtual environment, or by make."""
    (repository,) = _read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    pinned = (ROOT / "requirements/dev.txt").read_text()
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        program, *arguments = hook["entry"].split()
        if program == "make":
            assert arguments[-1] in _TARGETS
        else:
            assert f"{program.removeprefix('.venv/bin/')}==" in pinned
