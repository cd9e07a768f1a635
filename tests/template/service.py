"""Renders one service from the working tree, as ``copier copy`` would once it is committed.

Copier asks and judges the answers. The files are written here, in a tenth of copier's time; a test
compares both.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from copier import run_copy
from jinja2 import Environment

from tests.code_names import ROOT
from tests.template.build import ANSWERS, REMEMBERED, build
from tests.template.features import QUESTIONS
from tests.template.tree import Entry
from tests.template.whole import whole

REMEMBERED_IN: Final = ".copier-answers.yml"
_FILTERS: Final = "jinja2_ansible_filters.AnsibleCoreFiltersExtension"  # which copier has, too
ASKED: Final = ("copier.yml", "tests/template/taken.yml")


def render(into: Path, answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Make a service with these answers, and the defaults for all others; all of them.

    A service that is there already goes first.
    Raises ``ValueError`` for an answer that the template refuses.
    """
    if (into / REMEMBERED_IN).exists():
        shutil.rmtree(into)
    known = settled(answers)
    write(whole(), into, known)
    (into / REMEMBERED_IN).write_text(rendered(REMEMBERED, known))
    return known


def by_copier(into: Path, answers: Mapping[str, Any], of: Sequence[Entry]) -> None:
    """The same by copier alone: slower, and what the users of the template run."""
    with tempfile.TemporaryDirectory(prefix="template-") as scratch:
        for name in ASKED:
            (Path(scratch) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, Path(scratch) / name)
        build(of, Path(scratch) / "template", links=False)
        run_copy(scratch, into, data=dict(answers), defaults=True, quiet=True)


def settled(answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """All answers, those that are hidden too. Raises ``ValueError`` for one that is refused."""
    with tempfile.TemporaryDirectory(prefix="answers-") as scratch:
        template, into = Path(scratch) / "of", Path(scratch) / "into"
        (template / "template").mkdir(parents=True)
        names = ", ".join(f"'{name}': {name}" for name in QUESTIONS)
        (template / "template/all.json.jinja").write_text(f"@@{{ {{{names}}} | to_json }}@@")
        (template / "template" / ANSWERS).write_text(REMEMBERED)
        for name in ASKED:
            (template / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, template / name)
        run_copy(str(template), into, data=dict(answers), defaults=True, quiet=True)
        known = json.loads((into / "all.json").read_text())
        stored = yaml.safe_load((into / REMEMBERED_IN).read_text())
    return {**known, "_copier_answers": {**stored, "_src_path": str(ROOT)}}


def write(of: Sequence[Entry], into: Path, answers: Mapping[str, Any]) -> None:
    """Write those of these files that the service has."""
    for entry in of:
        if not entry.stands(answers):
            continue
        file = into / rendered(entry.place, answers)
        file.parent.mkdir(parents=True, exist_ok=True)
        if entry.written is None:
            shutil.copy2(entry.source, file)
        else:
            file.write_text(rendered(entry.written, answers))
            file.chmod(entry.source.stat().st_mode)


def rendered(text: str, answers: Mapping[str, Any]) -> str:
    return _environment().from_string(text).render(answers) if "@@" in text else text


@cache
def _environment() -> Environment:
    """Jinja as ``copier.yml`` has copier set it up."""
    document = yaml.safe_load((ROOT / "copier.yml").read_text().partition("\n---\n")[0])
    return Environment(extensions=[_FILTERS], **document["_envops"])
