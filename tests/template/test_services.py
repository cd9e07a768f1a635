"""Services are made whole, and of nothing that was not chosen."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from copier import run_copy, run_update

from tests.code_names import ROOT
from tests.template import printed
from tests.template.build import ANSWERS, REMEMBERED, build
from tests.template.features import FEATURES, PREFIX
from tests.template.names import KEPT, named
from tests.template.service import ASKED, render, rendered, settled, write
from tests.template.tree import Entry, entries
from tests.template.whole import whole

_MARKER = re.compile(
    r"^[ \t]*(?:#|<!--|\{#) (?:only|end): .*\n|[ \t]*(?:#|<!--|\{#) only: .*$", re.MULTILINE
)
_WORDS = re.compile(r"<!-- (?:only|end): .*? -->")


@pytest.fixture(scope="module")
def files() -> Sequence[Entry]:
    return whole()


def test_an_example_of_settings_has_all_of_a_service(
    files: Sequence[Entry], tmp_path: Path
) -> None:
    """``.env.example`` comes with it, as the service itself prints the file."""
    answers = settled({"console": False, "bus": "kafka"})
    write(files, tmp_path, answers)
    program = (sys.executable, "-m", "tests.reference.environment")
    own = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run(program, cwd=tmp_path, env=own, capture_output=True, text=True, check=True)
    assert ran.stdout == (tmp_path / printed.EXAMPLE).read_text()


def test_with_everything_chosen_it_is_the_reference(tmp_path: Path) -> None:
    """Under the names of the reference, each file is the source, but for the markers."""
    features = {f"{PREFIX}{feature}": True for feature in FEATURES}
    names = {"name": "Headwater", "package": "headwater", "cli": "headwater", "licence": "MIT"}
    described = "An EventStoreDB-backed domain service template: event sourcing and CQRS in "
    of_the_source = [entry for entry in entries() if not entry.form]
    write(
        of_the_source,
        tmp_path,
        {**features, **names, "description": f"{described}Python, done whole."},
    )
    for entry in of_the_source:
        if entry.parts and _is_there_with_all(entry):
            expected = "".join(map(_unmarked, entry.source.open())).strip()
            assert (tmp_path / entry.path).read_text().strip() == expected, entry.path


def _unmarked(line: str) -> str:
    """A line of the source without markers."""
    return (_WORDS if len(_WORDS.findall(line)) > 1 else _MARKER).sub("", line)


def _is_there_with_all(entry: Entry) -> bool:
    """Not one in which something stands only where another was *not* chosen, or in no service."""
    return not any(
        re.search(r"\bnot |\breference\b", one)
        for piece in entry.parts
        for one in (*piece.conditions, *entry.conditions)
    )


def test_copier_makes_the_same_service_from_links(files: Sequence[Entry], tmp_path: Path) -> None:
    """As files of a clone that the template only links to, with permissions, asking no trust."""
    template = tmp_path / "of"
    for entry in files:
        if not entry.form:
            (template / entry.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(entry.source, template / entry.path)
    linked = [_moved(entry, template) for entry in files]
    build(linked, template / "template")
    _committed(template, ASKED)
    run_copy(f"git+file://{template}", tmp_path / "made", defaults=True, quiet=True)
    answers = render(tmp_path / "expected", {})
    assert answers["package"] == "my_service"
    made, expected = _contents(tmp_path / "made"), _contents(tmp_path / "expected")
    assert {*made} == {*expected}
    assert [path for path in made if made[path] != expected[path]] == [".copier-answers.yml"]


def test_what_would_destroy_work_is_refused_by_an_update(tmp_path: Path) -> None:
    """A rename would write new files and delete those with the code of the team."""
    template, service = tmp_path / "of", tmp_path / "service"
    (template / "template").mkdir(parents=True)
    (template / "template" / ANSWERS).write_text(REMEMBERED)
    _committed(template, ASKED)
    run_copy(f"git+file://{template}", service, defaults=True, quiet=True)
    _committed(service, ())
    for answer, value, says in (
        ("package", "other", "this service is called my_service in Python, and another name"),
        ("cli", "other", "the command of this service is my-service"),
        ("aggregate", "other", "the first aggregate is item, and another name would delete its"),
        ("aggregates", "others", "the page of the first aggregate is items.py"),
        ("example", "shop", "this service began with example=tiny"),
    ):
        with pytest.raises(ValueError, match=re.escape(says)):
            run_update(service, data={answer: value}, defaults=True, quiet=True, overwrite=True)
    run_update(service, data={"bus": "kafka"}, defaults=True, quiet=True, overwrite=True)
    assert "bus: kafka" in (service / ".copier-answers.yml").read_text()


def test_a_template_beside_a_service_is_found_from_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """copier stores its address as it was typed. A path would lead nowhere from the service."""
    (tmp_path / "of/template").mkdir(parents=True)
    (tmp_path / "of/template" / ANSWERS).write_text(REMEMBERED)
    _committed(tmp_path / "of", ASKED)
    monkeypatch.chdir(tmp_path)
    run_copy("of", tmp_path / "service", defaults=True, quiet=True)
    _committed(tmp_path / "service", ())

    monkeypatch.chdir(tmp_path / "service")
    run_update(data={"bus": "kafka"}, defaults=True, quiet=True, overwrite=True)

    stored = yaml.safe_load(Path(".copier-answers.yml").read_text())
    assert (stored["_src_path"], stored["bus"]) == (str(tmp_path / "of"), "kafka")


def test_pages_that_a_service_prints_are_no_part_of_the_template(files: Sequence[Entry]) -> None:
    """They would be another service's, and each update would change them."""
    assert not {entry.path for entry in files} & {*printed.PRINTED}
    made_by = (ROOT / "Makefile").read_text()
    assert all(path in made_by for path in (*printed.PRINTED, printed.EXAMPLE))


def test_no_name_in_python_is_the_command_of_the_service() -> None:
    """It may be ``my-service``, which Python cannot have as a name."""
    answers = {"cli": "my-service", "package": "my_service", "name": "My Service"}
    for entry in entries():
        if entry.path.endswith(".py") and "headwater" in (text := entry.source.read_text()):
            ast.parse(rendered(named(text), answers), entry.path)


def _moved(entry: Entry, to: Path) -> Entry:
    return (
        entry if entry.form else Entry(entry.path, to / entry.path, entry.conditions, entry.parts)
    )


def _committed(at: Path, asked: Sequence[str]) -> None:
    """A git repository of the folder, with the questions."""
    for name in asked:
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, at / name)
    me = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    for command in (("init", "-q"), ("add", "-A", "-f"), (*me, "commit", "-q", "-m", "all")):
        subprocess.run(("git", *command), cwd=at, check=True)


def _contents(at: Path) -> dict[str, tuple[bytes, bool]]:
    return {
        str(file.relative_to(at)): (file.read_bytes(), os.access(file, os.X_OK))
        for file in at.rglob("*")
        if file.is_file()
    }


def test_no_service_has_the_name_of_the_reference(files: Sequence[Entry]) -> None:
    """Wherever it stands in a text, behind an escape in Python too."""
    left = [
        f"{entry.path}: {line}"
        for entry in files
        for part in entry.parts
        for line in named(entry.in_own_words(part.text)).replace(KEPT, "").splitlines()
        if "headwater" in line.lower()
    ]
    assert left == []


def test_parameters_of_a_database_have_the_name_that_fits_an_identifier() -> None:
    """PostgreSQL refuses ``my-service.announced``, as the command of a service may be."""
    assert named("set_config('headwater.announced')") == "set_config('@@{ package }@@.announced')"
    assert named("hashtext('headwater')") == "hashtext('@@{ cli }@@')"
