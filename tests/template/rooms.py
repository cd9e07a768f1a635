"""Modules that the architecture rules name: import-linter refuses one that a service lacks."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.template.combinations import lacking
from tests.template.conditions import both
from tests.template.markers import conditions_by_line
from tests.template.mentions import Mentions
from tests.template.tree import Entry

_RULES: Final = "pyproject.toml"
_MODULE: Final = re.compile(r'"((?:domain|application|infrastructure|tests)\.[\w.]+)')

_OWN: Final = {"shop"}  # every service has these rooms, under its own name


def absent(entries: Sequence[Entry]) -> Iterator[str]:
    """``pyproject.toml:line:`` of each module that some service with that line does not have."""
    mentions = Mentions({entry.path: entry for entry in entries})
    for entry in entries:
        if entry.path == _RULES:
            text = entry.source.read_text()
            lines = conditions_by_line(text, entry.path)
            for at in _MODULE.finditer(text):
                line = text.count("\n", 0, at.start()) + 1
                needs = mentions.of_path(at[1].replace(".", "/"))
                if lacks := lacking({*lines.get(line, ())}, needs - _OWN):
                    yield f"{_RULES}:{line}: {at[1]} is only there with {both(lacks)}"
