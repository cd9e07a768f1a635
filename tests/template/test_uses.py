"""What a file uses is there in each service that has the file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.template.bound import unbound
from tests.template.imports import by_imports, dangling
from tests.template.markers import pieces
from tests.template.parts import missing
from tests.template.rooms import absent
from tests.template.tree import Entry

CONFTEST = """\
import pytest


# only: s3
@pytest.fixture
def s3() -> str:
    return ""
# end: s3
"""


def _entries(at: Path, files: Mapping[str, str]) -> list[Entry]:
    for path, text in files.items():
        (at / path).parent.mkdir(parents=True, exist_ok=True)
        (at / path).write_text(text)
    return [Entry(path, at / path, frozenset(), pieces(text, path)) for path, text in files.items()]


def test_a_test_belongs_to_the_fixtures_that_it_asks_for(tmp_path: Path) -> None:
    """By a parameter or a mark, unless the line has a marker, or a nearer file has it."""
    files = {
        "tests/conftest.py": CONFTEST,
        "tests/test_a.py": "def test_a(s3: str) -> None: ...\n",
        "tests/test_b.py": 'import pytest\n\n\n@pytest.mark.usefixtures("s3")\ndef test_b(): ...\n',
        "tests/test_c.py": "# only: s3\ndef test_c(s3: str) -> None: ...\n# end: s3\n",
        "tests/test_d.py": "@pytest.fixture\ndef s3(): ...\n\n\ndef test_d(s3: str) -> None: ...\n",
        "tests/test_e.py": "def started(s3: str) -> None: ...\n",
    }
    found = {one.path: one.conditions for one in by_imports(_entries(tmp_path, files))}
    assert [path for path, conditions in found.items() if conditions == {"s3"}] == [
        "tests/test_a.py",
        "tests/test_b.py",
    ]


def test_a_fixture_that_asks_for_another_has_its_marker(tmp_path: Path) -> None:
    """Else pytest would not find it, in a service without what it is made of."""
    bucket = "\n\n@pytest.fixture\ndef bucket(s3: str) -> str:\n    return s3\n"
    (found,) = dangling(_entries(tmp_path, {"tests/conftest.py": CONFTEST + bucket}))
    assert found.startswith("tests/conftest.py:12: uses s3 of tests/conftest.py, which is only")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import json\n\na = json  # only: s3\n", "json is imported, and not used, with nothing"),
        ("import json  # only: s3\n\na = json\n", "json is used, and not there, with nothing"),
        ("# only: bus\ndef a(): ...\n# end: bus\n\n\na()\n", "a is used, and not there"),
    ],
)
def test_a_name_is_there_where_it_is_used(tmp_path: Path, text: str, what: str) -> None:
    """As ruff would say in a service, which is not made for this."""
    (found,) = unbound(_entries(tmp_path, {"domain/a.py": text}))
    assert what in found


def test_a_part_of_the_container_is_there_where_it_is_used(tmp_path: Path) -> None:
    """No type says so: it would be an error when the line runs."""
    container = "class Container:\n    a = 1  # only: s3\n    b = 1\n    b = 2  # only: s3\n"
    files = {"infrastructure/container.py": container, "a.py": "container.a()\ncontainer.b()\n"}
    (found,) = missing(_entries(tmp_path, files))
    assert found == "a.py:1: container.a is only there with s3"


def test_a_module_that_a_rule_names_is_there(tmp_path: Path) -> None:
    """Else import-linter would refuse the rule, in a service without it."""
    rules = 'a = [\n    "infrastructure.s3",\n    "infrastructure.s3", # only: s3\n]\n'
    entries = _entries(tmp_path, {"pyproject.toml": rules, "infrastructure/s3/a.py": ""})
    kept = replace(entries[1], conditions=frozenset({"s3"}))
    (found,) = absent([entries[0], kept])
    assert found == "pyproject.toml:2: infrastructure.s3 is only there with s3"


def test_what_is_used_under_one_of_two_conditions_is_imported_under_either(tmp_path: Path) -> None:
    """A marker with ``or`` covers both lines."""
    text = "import json  # only: s3 or bus\n\na = json  # only: s3\nb = json  # only: bus\n"
    assert [*unbound(_entries(tmp_path, {"domain/a.py": text}))] == []
