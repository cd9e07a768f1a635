"""Reads a form: names take the place of placeholders, lines are repeated or chosen.

# for each command … # end for      once for each value of that list
some_field: SomeType  # for each field
# if fields … # end if               where that is so; also ``if not``, and ``and`` between both
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FORMS: Final = Path(__file__).parent / "forms"

Scope = Mapping[str, Any]
"""Placeholders with their texts, conditions with their truth, and lists of further scopes."""

_OPENS: Final = re.compile(r"\s*# (for each|if) ([\w ]+)")
_CLOSES: Final = re.compile(r"\s*# end (for|if)")
_BEHIND: Final = re.compile(r"(.*\S)  # (for each|if) ([\w ]+)")
_GAP: Final = re.compile(r"\n{4,}")
_GAP_OF_IMPORTS: Final = re.compile(r"\n{3,}(?=from |import )")
_PLACEHOLDER: Final = re.compile(r"(?<![A-Za-z0-9])some[_ -][a-z_ -]+|Some[A-Z]\w*|SOME_[A-Z_]+")


def pages(form: str, scope: Scope) -> Mapping[str, str]:
    """The pages of one form by their paths, filled with these names."""
    root = FORMS / form
    files = sorted(file for file in root.rglob("*.py") if "__pycache__" not in file.parts)
    return {
        filled(str(file.relative_to(root)), scope): rendered(file.read_text(), scope)
        for file in files
    }


def rendered(text: str, scope: Scope) -> str:
    """The text of a form, filled. Raises ``KeyError`` for a list that the scope does not have."""
    lines = "".join(_rendered(text.splitlines(keepends=True), scope))
    return _GAP.sub("\n\n\n", _GAP_OF_IMPORTS.sub("\n\n", lines)).rstrip() + "\n"


def _rendered(lines: Sequence[str], scope: Scope) -> Iterator[str]:
    rest = iter(lines)
    for line in rest:
        if opened := _OPENS.fullmatch(line.rstrip()):
            block = [*_block(rest)]
            for inner in _scopes(opened[1], opened[2], scope):
                yield from _rendered(block, inner)
        elif found := _BEHIND.fullmatch(line.rstrip()):
            yield from (
                filled(found[1], inner) + "\n" for inner in _scopes(found[2], found[3], scope)
            )
        else:
            yield filled(line, scope)


def _block(lines: Iterator[str]) -> Iterator[str]:
    """The lines up to the end of the block that has just been opened."""
    depth = 1
    for line in lines:
        depth += bool(_OPENS.fullmatch(line.rstrip())) - bool(_CLOSES.fullmatch(line.rstrip()))
        if not depth:
            return
        yield line
    raise ValueError("a block of a form is not closed: add `# end for` or `# end if`")


def _scopes(kind: str, words: str, scope: Scope) -> Sequence[Scope]:
    if kind == "for each":
        return [{**scope, **each} for each in scope[f"each {words}"]]
    return [scope] if all(_holds(one, scope) for one in words.split(" and ")) else []


def _holds(word: str, scope: Scope) -> bool:
    if word.startswith("not "):
        return not _holds(word.removeprefix("not "), scope)
    return bool(scope[word])


def filled(text: str, scope: Scope) -> str:
    """The text with names for placeholders; the longest placeholder counts."""

    def name(found: re.Match[str]) -> str:
        word = found[0]
        for end in range(len(word), 0, -1):
            if (value := scope.get(word[:end])) is not None and not word[end:][:1].islower():
                return f"{value}{filled(word[end:], scope)}"
        return word

    return _PLACEHOLDER.sub(name, text)
