"""Names of new parts: read in any usual writing, refused if they cannot be names in Python."""

import keyword
import re
from dataclasses import dataclass
from typing import Final, Self

from infrastructure.cli.process import UsageError

LONGEST: Final = 40  # characters: longer names break the lines of the pages
_WRITTEN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*([_ -][A-Za-z0-9]+)*")
_WORD: Final = re.compile(r"[A-Z]?[0-9]*[a-z][a-z0-9]*|[A-Z]+[0-9]*(?![a-z])|[0-9]+")
_UNCOUNTED: Final = frozenset({"stock", "series", "species", "news", "equipment", "money", "staff"})
_IRREGULAR: Final = {"person": "people", "child": "children"}

_TAKEN: Final = """
    action any body category client command corpus decide decider dispatch done domain_error event
    evolve facts field final histories history id int bool missing money name page path program
    projection replace request response router saga sequence service settings specification state
    step text type view
"""
TAKEN: Final = frozenset(_TAKEN.split())
"""Names that the pages of a new part use themselves."""


@dataclass(frozen=True)
class Name:
    """One name in all its writings, such as ``order_line``, ``OrderLine`` and ``order-line``."""

    snake: str

    @classmethod
    def read(cls, text: str, what: str = "name") -> Self:
        """From any of these writings. Raises :class:`UsageError` for what cannot be a name."""
        text = text.strip()
        if not _WRITTEN.fullmatch(text):
            raise UsageError(
                f"{text!r} cannot be a {what}: begin with a letter, and use letters, digits and '_'"
            )
        snake = snake_of(text)
        if len(snake) > LONGEST:
            raise UsageError(f"{text!r} is too long for a {what}: use {LONGEST} characters at most")
        name = cls(snake)
        if any(map(_is_keyword, (snake, name.pascal))) or snake in TAKEN:
            raise UsageError(f"{text!r} cannot be a {what}: Python or the kit uses that word")
        return name

    @property
    def pascal(self) -> str:
        return "".join(word.capitalize() for word in self.snake.split("_"))

    def function(self, of: str) -> str:
        """As a function's name; with what it is ``of`` where Python or its page uses the word."""
        is_taken = _is_keyword(self.snake) or self.snake in TAKEN
        return f"{self.snake}_{of}" if is_taken else self.snake

    @property
    def upper(self) -> str:
        return self.snake.upper()

    @property
    def kebab(self) -> str:
        return self.snake.replace("_", "-")

    @property
    def words(self) -> str:
        return self.snake.replace("_", " ")

    @property
    def plural(self) -> "Name":
        """By the rules of English for its last word; an option names what they do not know."""
        before, _, last = self.snake.rpartition("_")
        return Name("_".join(filter(None, (before, _plural(last)))))


def snake_of(text: str) -> str:
    """``orderLine`` → ``order_line``. A digit belongs to the word before it: ``item2``."""
    return "_".join(word.lower() for word in _WORD.findall(text))


def _is_keyword(word: str) -> bool:
    return keyword.iskeyword(word) or keyword.issoftkeyword(word)


def _plural(word: str) -> str:
    if word in _UNCOUNTED:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if re.search(r"(s|x|z|ch|sh)$", word) else f"{word}s"
