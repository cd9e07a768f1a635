"""A service at GitLab has there what the reference has at GitHub."""

import json
import re

import yaml

from tests.code_names import ROOT
from tests.template.tree import FORMS

PIPELINE = FORMS / ".gitlab-ci.yml"


def test_the_pipeline_runs_what_a_developer_can_run() -> None:
    """It runs `.ci/run` and targets of the Makefile, in an image of a full version."""
    pipeline = yaml.safe_load(PIPELINE.read_text())
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    jobs = {name: job for name, job in pipeline.items() if "script" in job}

    assert jobs["check"]["script"] == ["bash .ci/run"]
    assert {line.removeprefix("make ") for line in jobs["packages"]["script"]} <= {*targets}
    assert re.fullmatch(r"python:3\.11\.\d+-bookworm", pipeline["default"]["image"])
    assert set(pipeline) == {*jobs, "workflow", "default", "variables"}


def test_newer_versions_are_proposed_for_the_same_files() -> None:
    """Renovate looks at the pinned packages, images and the pipeline, as Dependabot does."""
    renovate = json.loads((FORMS / "renovate.json").read_text())
    (pattern,) = renovate["pip_requirements"]["managerFilePatterns"]
    pins = [str(file.relative_to(ROOT)) for file in ROOT.glob("requirements/*.txt")]

    assert len(pins) > 3
    assert all(re.fullmatch(pattern.strip("/"), pin) for pin in pins)
    assert {"gitlabci", "dockerfile", "docker-compose"} <= {*renovate["enabledManagers"]}
