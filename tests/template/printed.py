"""Pages that a service prints from its own source: ``make reference`` does, on first use.

They are no part of the template, so that an update of a service never touches them. An example of a
``.env`` comes with a service nevertheless: a paragraph of it belongs to what its setting does.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

from tests.template.markers import Piece, merged
from tests.template.mentions import Mentions
from tests.template.tree import Entry

PRINTED: Final[Collection[str]] = (
    "docs/operations/alerts.yml",
    "docs/operations/dashboard.json",
    "docs/reference/access.md",
    "docs/reference/asyncapi.json",
    "docs/reference/commands.md",
    "docs/reference/settings.md",
    "docs/reference/system-map.svg",
)
_WHERE: Final = re.compile(r"(# HEADWATER_(EVENT_STORE|READ_MODELS)=)\w+")
EXAMPLE: Final = ".env.example"


def with_example(entries: Sequence[Entry], mentions: Mentions) -> Sequence[Entry]:
    """Without the pages that a service prints; the example has the settings of the service."""
    kept = [entry for entry in entries if entry.path not in PRINTED]
    return [_example(entry, mentions) if entry.path == EXAMPLE else entry for entry in kept]


def _example(entry: Entry, mentions: Mentions) -> Entry:
    return replace(entry, parts=merged(_paragraphs("".join(p.text for p in entry.parts), mentions)))


def _paragraphs(text: str, mentions: Mentions) -> Iterator[Piece]:
    """The lines of a paragraph have the conditions of its setting, and those of their words."""
    for number, paragraph in enumerate(text.split("\n\n")):
        paragraph = _WHERE.sub(lambda store: f"{store[1]}@@{{ {store[2].lower()} }}@@", paragraph)
        of_setting = mentions.of_settings(paragraph) if number else frozenset()
        blank = "\n" if number else ""
        for line in f"{blank}{paragraph.rstrip()}\n".splitlines(keepends=True):
            words = mentions.of_words(line) if line.startswith("# ") and "=" not in line else set()
            yield Piece(line, tuple(sorted({*of_setting, *words})))
