"""A service pins the packages that it needs, in the words of ``uv``, and no others."""

import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from importlib.metadata import distribution
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.code_names import ROOT
from tests.template.features import FEATURES
from tests.template.markers import pieces
from tests.template.requirements import pinned, roots

PROJECT: Final = (ROOT / "pyproject.toml").read_text()
CHOICES: Final = {
    "all": [*FEATURES],
    "default": ["eventstoredb", "postgres_views", "postgres", "console", "embedded"],
    "smallest": ["postgres_events", "postgres_views", "postgres"],
    "DynamoDB": ["dynamodb_events", "dynamodb_views", "dynamodb", "opensearch", "search", "s3"],
    "two clouds": ["eventstoredb", "dynamodb_views", "dynamodb", "temporal", "bus", "kafka"],
}
_SMALL: Final = """\
[project]
name = "small"
dependencies = ["web"]

[project.optional-dependencies]
kafka = ["broker"] # only: kafka
s3 = ["bucket"] # only: s3
"""
_PINS: Final = """\
# printed
broker==1 \\
    --hash=sha256:1
    # via small (pyproject.toml)
bucket==2 \\
    --hash=sha256:2
    # via small (pyproject.toml)
bytes==3 \\
    --hash=sha256:3
    # via
    #   broker
    #   bucket
web==4 \\
    --hash=sha256:4
    # via
    #   broker
    #   small (pyproject.toml)
"""


def _for(text: str, project: str, chosen: Collection[str]) -> str:
    kept = frozenset(chosen)
    return "".join(piece.text for piece in pinned(text, project) if piece.stands(kept))


@pytest.mark.parametrize("file", ["dev", "run", "service", "build", "manifests"])
def test_with_everything_chosen_all_is_pinned(file: str) -> None:
    """The file is then that of the reference, word for word."""
    text = (ROOT / f"requirements/{file}.txt").read_text()
    assert _for(text, PROJECT, FEATURES) == text


def test_a_package_goes_with_all_that_it_is_there_for() -> None:
    """Without a bus its driver goes; what that shared with others stays, for those alone."""
    assert _for(_PINS, _SMALL, ["s3"]) == (
        "# printed\n"
        "bucket==2 \\\n    --hash=sha256:2\n    # via small (pyproject.toml)\n"
        "bytes==3 \\\n    --hash=sha256:3\n    # via bucket\n"
        "web==4 \\\n    --hash=sha256:4\n    # via small (pyproject.toml)\n"
    )
    assert _for(_PINS, _SMALL, ["s3", "kafka"]) == _PINS


def test_a_dependency_belongs_to_what_marks_it() -> None:
    """Nothing marks ``web``, and a block marks what is in it."""
    assert roots(_SMALL) == {"web": {""}, "broker": {"kafka"}, "bucket": {"s3"}}


@pytest.mark.parametrize("chosen", CHOICES.values(), ids=[*CHOICES])
def test_what_is_pinned_is_what_is_needed(chosen: Sequence[str]) -> None:
    """All that the dependencies of the service lead to on this machine, and nothing else here."""
    table = tomllib.loads(_trimmed(PROJECT, chosen))["project"]
    unused = {"javascript", "bench"}
    extras = (of for name, of in table["optional-dependencies"].items() if name not in unused)
    wanted = [Requirement(one) for of in (table["dependencies"], *extras) for one in of]

    pins = _for((ROOT / "requirements/dev.txt").read_text(), PROJECT, chosen)

    assert {*_here(pins)} == {*_needed(wanted)} - {"embedded-eventstoredb"}


def _trimmed(text: str, chosen: Collection[str]) -> str:
    kept = frozenset(chosen)
    return "".join(one.text for one in pieces(text, "pyproject.toml") if one.stands(kept))


def _here(pins: str) -> Iterator[str]:
    """The names of the pinned packages, without those for other machines."""
    for line in re.findall(r"^([\w.-]+==[^\\\n]+)", pins, re.MULTILINE):
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate():
            yield pin.name


def _needed(requirements: Collection[Requirement]) -> Collection[str]:
    """The names of these packages and of all that they need on this machine."""
    seen: set[tuple[str, frozenset[str]]] = set()
    following = [*requirements]
    while following:
        wanted = following.pop()
        key = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if key not in seen:
            seen.add(key)
            following += _requires(wanted)
    return {name for name, _ in seen}


def _requires(wanted: Requirement) -> Iterator[Requirement]:
    for text in distribution(wanted.name).requires or ():
        needs = Requirement(text)
        environments = [{"extra": extra} for extra in ("", *wanted.extras)]
        if not needs.marker or any(map(needs.marker.evaluate, environments)):
            yield needs
