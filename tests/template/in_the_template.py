"""Turns the pages of the tiny service into pages of the template: names become expressions.

The order of imports depends on names which only the answers have, so the template sorts them.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from tests.code_names import ROOT
from tests.template import tiny
from tests.template.markers import Piece
from tests.template.tree import Entry

FROZEN: Final = Path(__file__).parent / "frozen"
"""Stored events and histories of the tiny service, which its own tests hold it to."""

EXPRESSIONS: Final[Mapping[str, str]] = {
    "Some Title": "name",
    "some-cli": "cli",
    "SOME_SETTINGS": "package|upper",
    "SOME_SERVICE": "package|upper",
    "some_service": "package",
    "some_aggregates": "aggregates",
    "some-aggregates": "aggregates|replace('_', '-')",
    "some aggregates": "aggregates|replace('_', ' ')",
    "some_aggregate": "aggregate",
    "some aggregate": "aggregate|replace('_', ' ')",
    "SomeAggregates": "aggregates.split('_')|map('capitalize')|join",
    "SomeAggregate": "aggregate.split('_')|map('capitalize')|join",
    "SOME_AGGREGATE": "aggregate|upper",
}
"""Each stand-in, and what the answers have for it; those that others begin with come last."""

ABOUT: Final = """\
    about=@@% if description|length <= 80 %@@"@@{ description }@@"@@% else %@@(
        "@@{ description|wordwrap(80, wrapstring=' "\n        "') }@@"
    )@@% endif %@@,
"""
"""The description, in lines that are not too long."""

_ROOMS: Final = "domain|application|infrastructure|tests"
_STATEMENT: Final = rf"from (?:{_ROOMS})[\w.]* import (?:\([^)]*\)|.*)\n"
_IMPORTS: Final = re.compile(rf"^(?:{_STATEMENT}){{2,}}", re.MULTILINE)
_MEMBERS: Final = re.compile(r"(?<=\(\n)(?:    [A-Z]\w*[a-z]\w*,\n){2,}")


TINY: Final = "tiny"
NONE: Final = "not example"


@cache
def made() -> Sequence[Entry]:
    """The pages as files of the template: those of the tiny service, and of an empty one."""
    tiny, none = files(example=True), files(example=False)
    return [_entry(path, tiny.get(path), none.get(path)) for path in sorted({*tiny, *none})]


def _entry(path: str, tiny: str | None, none: str | None) -> Entry:
    starts = {"embedded"} if path.endswith("test_running.py") else set()
    source = Path(__file__)  # of the permissions; the text is another
    if tiny == none:
        conditions = frozenset({"not shop", *starts})
        return Entry(path, source, conditions, [Piece(tiny or "")], form=True)
    if none is None or tiny is None:
        conditions = frozenset({NONE if tiny is None else TINY, *starts})
        return Entry(path, source, conditions, [Piece(tiny or none or "")], form=True)
    parts = [Piece(tiny, (TINY,)), Piece(none, (NONE,))]
    return Entry(path, source, frozenset({"not shop", *starts}), parts, form=True)


def files(*, example: bool) -> Mapping[str, str]:
    """The pages of the template by their paths; without ``example``, those of an empty service."""
    made = dict(_formatted(tiny.files(tiny=example)))
    if example:
        made |= {
            str(file.relative_to(FROZEN)): file.read_text()
            for file in FROZEN.rglob("*")
            if file.is_file()
        }
    return {with_answers(path): with_answers(_sorted(text)) for path, text in made.items()}


def with_answers(text: str) -> str:
    """The text with expressions in place of stand-ins."""
    text = text.replace('    about="Some Description",\n', ABOUT)
    for stand_in, expression in EXPRESSIONS.items():
        text = text.replace(stand_in, f"@@{{ {expression} }}@@")
    return text


def _sorted(text: str) -> str:
    """The text, whose imports are sorted when the names are known."""
    return _IMPORTS.sub(lambda block: _in_order(block[0], _STATEMENT, _of_members), text)


def _of_members(statement: str) -> str:
    return _MEMBERS.sub(lambda block: _in_order(block[0], r".*\n", str), statement)


def _in_order(block: str, part: str, inner: Callable[[str], str]) -> str:
    """A block of parts that the template puts in the order of the alphabet."""
    parts = re.findall(part, block)
    names = [f"part_{len(block)}_{number}" for number in range(len(parts))]
    held = "".join(
        f"@@% set {name} %@@{inner(text)}@@% endset %@@"
        for name, text in zip(names, parts, strict=True)
    )
    return f"{held}@@{{ [{', '.join(names)}]|sort|join }}@@"


def _formatted(pages: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The pages as ruff writes them."""
    with tempfile.TemporaryDirectory(prefix="tiny-") as directory:
        at = Path(directory)
        for path, text in pages.items():
            (at / path).parent.mkdir(parents=True, exist_ok=True)
            (at / path).write_text(text)
        settings = ("--config", str(ROOT / "pyproject.toml"), "--no-cache", "--quiet")
        known = "lint.isort.known-first-party=['domain','application','infrastructure','tests']"
        ruff = (str(Path(sys.executable).parent / "ruff"),)
        only = ("--select", "I", "--fix", "--config", known, ".")
        subprocess.run((*ruff, "check", *settings, *only), cwd=at, check=True)
        subprocess.run((*ruff, "format", *settings, "."), cwd=at, check=True)
        for path in pages:
            yield path, (at / path).read_text()
