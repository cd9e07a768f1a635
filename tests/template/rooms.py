"""Modules that the architecture rules name: import-linter refuses one that a service lacks."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.template.mentions import Mentions
from tests.template.named import missing
from tests.template.tree import Entry

_RULES: Final = "pyproject.toml"
_MODULE: Final = re.compile(r'"((?:domain|application|infrastructure|tests)\.[\w.]+)')

_OWN: Final = {"shop"}  # every service has these rooms, under its own name


def absent(entries: Sequence[Entry]) -> Iterator[str]:
    """``pyproject.toml:line:`` of each module that some service with that line does not have."""
    mentions = Mentions({entry.path: entry for entry in entries})

    def needs(module: str) -> frozenset[str]:
        return frozenset(mentions.of_path(module.replace(".", "/"))) - _OWN

    for entry in entries:
        if entry.path == _RULES:
            yield from missing(entry, _MODULE, needs)
