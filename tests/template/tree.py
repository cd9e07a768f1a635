"""The files of the reference as the template has them: conditions of each, and its pieces."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from tests.code_names import ROOT
from tests.template.conditions import NEVER, as_jinja, both, holds
from tests.template.features import FEATURES, PREFIX
from tests.template.markers import InvalidMarker, Piece, pieces
from tests.template.names import OPENING, named, of_the_project, with_own_rooms
from tests.template.paths import conditions_of
from tests.template.requirements import pinned

FORMS: Final = Path(__file__).parent / "forms"
"""Files that a service has in place of the reference's, each under the path that it gets."""

_NAMES_ROOMS: Final = {"Makefile", "pyproject.toml"}
"""Files which say where the service is."""


@dataclass(frozen=True)
class Entry:
    """One file: where it is, what it belongs to, and what is in it."""

    path: str
    source: Path
    conditions: frozenset[str]
    parts: Sequence[Piece] = field(repr=False, default=())
    """Empty if it is not text."""
    form: bool = False

    @cached_property
    def written(self) -> str | None:
        """As a page of the template; nothing if the file goes into a service as it is."""
        if not self.parts:
            return None
        body = self.in_own_words("".join(map(_written, self.parts)))
        if self.parts[-1].conditions:  # no blank lines are left at the end
            body = f"@@% filter trim %@@{body}@@% endfilter %@@\n"
        return body if self.form or body != self.source.read_text() else None

    def in_own_words(self, text: str) -> str:
        """Some of its text, in which the service says where it is, and what it is."""
        text = with_own_rooms(text) if self.path in _NAMES_ROOMS else text
        return of_the_project(self.path, text)

    @property
    def place(self) -> str:
        """Its path in a service, in which answers may stand."""
        return named(self.path)

    def stands(self, answers: Mapping[str, Any]) -> bool:
        """Whether it is in a service with these answers."""
        chosen = {feature for feature in FEATURES if answers[f"{PREFIX}{feature}"]}
        return all(holds(condition, chosen) for condition in self.conditions)


def entries(root: Path = ROOT, *, with_gone: bool = False) -> Sequence[Entry]:
    """All files that a service may have, sorted; those of the reference alone ``with_gone``.

    Raises `InvalidMarker`.
    """
    forms = {str(file.relative_to(FORMS)): file for file in FORMS.rglob("*") if file.is_file()}
    sources = {path: root / path for path in _listed(root)}
    found = (_entry(path, file, path in forms) for path, file in {**sources, **forms}.items())
    kept = (one for one in found if with_gone or NEVER not in one.conditions)
    return sorted(kept, key=lambda one: one.path)


def _entry(path: str, source: Path, form: bool) -> Entry:
    conditions = frozenset(conditions_of(path))
    if NEVER in conditions:
        return Entry(path, source, conditions)
    try:
        text = source.read_text()
    except UnicodeDecodeError:
        return Entry(path, source, conditions)
    if not form:
        _require_own_delimiters(text, path)
    if path.startswith("requirements/"):
        return Entry(path, source, conditions, pinned(text, _project()))
    return Entry(path, source, conditions, pieces(text, path), form)


@cache
def _project() -> str:
    return (ROOT / "pyproject.toml").read_text()


def _require_own_delimiters(text: str, path: str) -> None:
    for number, line in enumerate(text.splitlines(), start=1):
        for opening in OPENING:
            if opening in line:
                raise InvalidMarker(
                    f"{path}:{number}: {opening} would begin an expression of the template"
                )


def _written(piece: Piece) -> str:
    text = named(piece.text)
    if not piece.conditions:
        return text
    return f"@@% if {as_jinja(both(piece.conditions))} %@@{text}@@% endif %@@"


def _listed(root: Path) -> Iterator[str]:
    """All files that git knows of, or would take."""
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    for name in subprocess.check_output(listed, cwd=root, text=True).splitlines():
        if (root / name).is_file():
            yield name
