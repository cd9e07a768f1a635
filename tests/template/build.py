"""Writes the template: links to files as they are, and pages where something varies."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from tests.code_names import ROOT
from tests.template.conditions import as_jinja, both
from tests.template.names import named
from tests.template.tree import Entry

SUFFIX: Final = ".jinja"
ANSWERS: Final = "@@{ _copier_conf.answers_file }@@" + SUFFIX
REMEMBERED: Final = """\
# What this service was made of: `copier update` reads it. Change an answer with
# `copier update -d ANSWER=VALUE`, not here.
@@%- set from = _copier_answers._src_path %@@
@@{ dict(_copier_answers, _src_path=from if ":" in from else from | realpath) | to_nice_yaml }@@"""


def build(entries: Sequence[Entry], into: Path, links: bool = True) -> None:
    """Write the template for these files into a folder, which is made anew.

    Without ``links`` it is whole, and can be anywhere.
    """
    if into.exists():
        shutil.rmtree(into)
    for place, entry in placed(entries).items():
        file = into / place
        file.parent.mkdir(parents=True, exist_ok=True)
        if place.endswith(SUFFIX):
            file.write_text(entry.written or entry.source.read_text())
            file.chmod(entry.source.stat().st_mode)
        elif not links:
            shutil.copy2(entry.source, file)
        else:
            file.symlink_to(os.path.relpath(entry.source, file.parent))
    (into / ANSWERS).write_text(REMEMBERED)


def stale(entries: Sequence[Entry], at: Path) -> Iterator[str]:
    """The paths in a template that are not as they would be made now."""
    with tempfile.TemporaryDirectory(prefix="template-") as scratch:
        build(entries, Path(scratch) / at.name)
        made, there = _found(Path(scratch) / at.name), _found(at)
    for path in sorted({*made, *there}):
        if made.get(path) != there.get(path):
            yield path


def _found(at: Path) -> Mapping[str, str]:
    """Each file by its path: what is in it, or where a link leads."""
    return {
        str(path.relative_to(at)): _target(path) if path.is_symlink() else path.read_text()
        for path in at.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def _target(link: Path) -> str:
    """The file of the source."""
    return os.path.relpath(link.resolve(), ROOT)


def placed(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Each file under its path in the template: folders and names carry the conditions."""
    shared = _shared(entries)
    return {_place(entry, shared): entry for entry in entries}


def _place(entry: Entry, shared: Mapping[PurePosixPath, frozenset[str]]) -> str:
    path, known, segments = PurePosixPath(entry.path), frozenset[str](), []
    for folder in (*reversed(path.parents[:-1]), path):
        conditions = entry.conditions if folder == path else shared[folder]
        segments.append(_segment(folder.name, conditions - known))
        known |= conditions
    return "/".join(segments) + ("" if _goes_as_it_is(entry) else SUFFIX)


def _goes_as_it_is(entry: Entry) -> bool:
    executable = os.access(entry.source, os.X_OK)  # which a link in git is not
    return entry.written is None and not executable and not entry.path.endswith(SUFFIX)


def _segment(name: str, conditions: Collection[str]) -> str:
    name = named(name)
    return f"@@% if {as_jinja(both(conditions))} %@@{name}@@% endif %@@" if conditions else name


def _shared(entries: Sequence[Entry]) -> Mapping[PurePosixPath, frozenset[str]]:
    """For each folder, the conditions that all of its files have."""
    shared: dict[PurePosixPath, frozenset[str]] = {}
    for entry in entries:
        for folder in PurePosixPath(entry.path).parents:
            shared[folder] = shared.get(folder, entry.conditions) & entry.conditions
    return shared
