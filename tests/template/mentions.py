"""What a text shows or names, and the features that this belongs to."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from tests.code_names import ROOT
from tests.reference import commands
from tests.template.markers import conditions_by_line
from tests.template.tree import Entry
from tests.template.words import speaking

LINK: Final = re.compile(r"(?<!!)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s#]*)(#[^)\s]*)?\)")
_SHOWN: Final = re.compile(r"<!-- from (\S+) -->|!\[[^\]]*\]\(([^)\s]+)\)")
_COMMAND: Final = re.compile(r"(?:^|[\s/`])headwater ([a-z][a-z-]*)(?![\w.-])", re.MULTILINE)
_PATH: Final = re.compile(r"`((?:domain|application|infrastructure|tests|docs)/[\w./-]+)`")
_MODULE: Final = re.compile(r"python -m (tests[\w.]+)")
_SETTING: Final = re.compile(r"HEADWATER_([A-Z0-9_]+)")
_CODE: Final = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_MAKE: Final = re.compile(r"\bmake ([a-z-]+)")
_TARGET: Final = re.compile(r"^([a-z-]+):", re.MULTILINE)
_REGISTERED: Final = re.compile(r"^ +(?:\w+\.)?(\w+),", re.MULTILINE)
_SEAMS: Final = (
    frozenset({"eventstoredb", "postgres", "dynamodb"}),
    frozenset({"opensearch", "algolia"}),
    frozenset({"s3", "dynamodb"}),
)
"""Alternatives: a text that names several of them compares them, and belongs to none."""


@dataclass(frozen=True)
class Mentions:
    """Looks up what the files of a template belong to."""

    known: Mapping[str, Entry]
    gone: Collection[str] = field(default_factory=frozenset)
    """Files of the reference alone."""

    def of(self, page: str, text: str) -> frozenset[str]:
        """The conditions of all that a text of this page shows."""
        found = {*self.of_files(page, text), *self.of_settings(text), *self._of_commands(text)}
        return frozenset(found | self.of_words(text))

    def of_words(self, text: str) -> frozenset[str]:
        """Those of the words in it, unless they name alternatives."""
        plain = LINK.sub(lambda link: link[1], text)
        found = {condition for condition, _ in speaking(plain)} - {"reference"}
        for seam in _SEAMS:
            if len(found & seam) > 1:
                found -= seam
        return frozenset(found)

    def of_page(self, page: str, path: str) -> frozenset[str]:
        """The conditions on which there is a page to which a link leads."""
        target = _beside(page, path)
        return self.of_path(target) if target.endswith(".md") else frozenset()

    def of_files(self, page: str, text: str) -> frozenset[str]:
        """Those of the files that it links, shows or names; not of pages that it links."""
        return frozenset(self._of_files(page, text))

    def _of_files(self, page: str, text: str) -> Iterator[str]:
        for _, path, _ in LINK.findall(text):
            if "://" not in path and not path.endswith(".md") and path:
                yield from self.of_path(_beside(page, path))
        for shown, picture in _SHOWN.findall(text):
            yield from self.of_path(shown or _beside(page, picture))
        for path in _PATH.findall(text):
            yield from self.of_path(path)
        for module in _MODULE.findall(text):
            yield from self.of_path(module.replace(".", "/"))

    def of_settings(self, text: str) -> frozenset[str]:
        """Those of the settings in it."""
        named = (setting.lower() for setting in _SETTING.findall(text))
        return frozenset(one for name in named for one in self.settings.get(name, ()))

    def _of_commands(self, text: str) -> Iterator[str]:
        for code in _CODE.findall(text):
            for word in _COMMAND.findall(code):
                yield from self._commands.get(word, ())
            for target in _MAKE.findall(code):
                yield from self._targets.get(target, ())

    def of_path(self, path: str) -> frozenset[str]:
        """Of a file, or of all files in a folder."""
        path = path.rstrip("/")
        for candidate in (path, f"{path}.py"):
            if candidate in self.known:
                return self.known[candidate].conditions
            if candidate in self.gone:
                return frozenset({"reference"})
        inside = [one.conditions for name, one in self.known.items() if name.startswith(f"{path}/")]
        return frozenset.intersection(*inside) if inside else frozenset()

    @cached_property
    def settings(self) -> Mapping[str, frozenset[str]]:
        """Each setting, and on what it depends; an adapter may change one that others have."""
        found: dict[str, frozenset[str]] = {}
        for path, entry in self.known.items():
            if "settings" in path and path.startswith("infrastructure/") and path.endswith(".py"):
                text = entry.source.read_text()
                lines = conditions_by_line(text, path)
                for name, line in _fields(text):
                    conditions = entry.conditions | frozenset(lines.get(line, ()))
                    found[name] = conditions & found.get(name, conditions)
        return found

    @cached_property
    def _commands(self) -> Mapping[str, frozenset[str]]:
        """Each command that not every service has, by its first word."""
        main = "infrastructure/cli/main.py"
        text = (ROOT / main).read_text()
        of_kit = {command.split()[0] for command in commands.of_the_kit() if command}
        every = {command.split()[0] for command in commands.options() if command}
        found = {command: frozenset({"shop"}) for command in every - of_kit}
        return found | {name: frozenset(on) for name, on in _marked(_REGISTERED, text, main)}

    @cached_property
    def _targets(self) -> Mapping[str, frozenset[str]]:
        """Each target of the Makefile that not every service has."""
        text = (ROOT / "Makefile").read_text()
        return {target: frozenset(on) for target, on in _marked(_TARGET, text, "Makefile")}


def _marked(pattern: re.Pattern[str], text: str, path: str) -> Iterator[tuple[str, Sequence[str]]]:
    """What the pattern finds in a file, and the conditions of its line."""
    lines = conditions_by_line(text, path)
    for at in pattern.finditer(text):
        yield at[1], lines.get(text.count("\n", 0, at.start()) + 1, ())


def _beside(page: str, path: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / path).parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _fields(text: str) -> Sequence[tuple[str, int]]:
    classes = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
    return [
        (node.target.id, node.lineno)
        for one in classes
        for node in one.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
