"""Words that must not occur in a service that was made without what they speak of.

`in_some_service` finds them by the conditions of each line, for all services at once. `leftovers`
reads one service that was made, in which the names of a team stand.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.template.combinations import lacking
from tests.template.conditions import both, holds
from tests.template.features import FEATURES, PREFIX
from tests.template.names import named
from tests.template.pages import OF_CHOICES
from tests.template.tree import Entry
from tests.template.words import speaking

_EXPRESSION: Final = re.compile(r"@@\{.*?\}@@|@@% if .*?@@% endif %@@")
_OTHERS: Final = (".git", ".venv", ".copier-answers.yml", Path(OF_CHOICES).name)
"""Not of the service; its answers, and the page on how to change them: both name all choices."""


def in_some_service(entries: Sequence[Entry]) -> Iterator[str]:
    """``file: word …: the line`` of each that some service has without what it speaks of."""
    for entry in entries:
        if {*_OTHERS} & {*Path(entry.path).parts}:
            continue
        for text, conditions in ((entry.path, ()), *((p.text, p.conditions) for p in entry.parts)):
            text = _EXPRESSION.sub("", named(entry.in_own_words(text)))
            for condition, word in speaking(text):
                if lacks := lacking({*entry.conditions, *conditions}, {condition}):
                    where = f"{entry.path}: {word[0]} is also there without {both(lacks)}"
                    yield f"{where}: {_line(word).strip()[:120]}"


def _line(found: re.Match[str]) -> str:
    """The line in which it was found."""
    return (
        found.string[: found.start()].rpartition("\n")[2]
        + (found.string[found.start() :].partition("\n")[0])
    )


def leftovers(service: Path, answers: Mapping[str, Any]) -> Iterator[str]:
    """``file:line: word: the line`` of each, and of each path that has one."""
    own = re.compile("|".join(re.escape(name) for name in _own_names(answers)), re.IGNORECASE)
    chosen = {feature for feature in FEATURES if answers[f"{PREFIX}{feature}"]}
    for file in sorted(service.rglob("*")):
        if not file.is_file() or {*_OTHERS} & {*file.relative_to(service).parts}:
            continue
        path = file.relative_to(service)
        for place, text in ((f"{path}:0", str(path)), *_lines(file, path)):
            for condition, word in speaking(own.sub("", text)):
                if not holds(condition, chosen):
                    yield f"{place}: {word[0]}: {text.strip()[:120]}"


def _own_names(answers: Mapping[str, Any]) -> Iterator[str]:
    """What the team calls its things: a service may be called Parcel Desk."""
    for question in ("name", "package", "cli", "aggregates", "aggregate"):
        if name := answers.get(question):
            yield from {str(name), str(name).replace("_", ""), str(name).replace("_", " ")}


def _lines(file: Path, path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = file.read_text().splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, start=1):
        yield f"{path}:{number}", line
