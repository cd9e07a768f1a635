"""The commands of a new aggregate, as they are given: ``Issue(total: Money) -> Issued``."""

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from infrastructure.cli.adding.names import Name, snake_of
from infrastructure.cli.process import UsageError

DEFAULT: Final = (
    "Open(name: Name) -> Opened",
    "Confirm -> Confirmed",
    "Cancel(reason: Text) -> Cancelled",
)

_COMMAND: Final = re.compile(r"\s*([A-Za-z]\w*)\s*(?:\(([^)]*)\))?\s*->\s*([A-Za-z]\w*)\s*")
_FIELD: Final = re.compile(r"\s*([a-z][a-z0-9_]*)\s*:\s*(\w+)\s*")
_TEXTS_OF_THE_KIT: Final = frozenset({"stream", "type", "error", "by", "reason"})
_VALUES_OF_THE_KIT: Final = frozenset({"event_id", "behind", "version", "attempts"})


@dataclass(frozen=True)
class Type:
    """A type that a field can have: two values of it, one of them as JSON, and how it is drawn."""

    values: tuple[str, str]
    written: str
    drawn: str


TYPES: Final[Mapping[str, Type]] = {
    "Id": Type(('"a"', '"b"'), '"a"', "AN_ID"),
    "Name": Type(('"Ada"', '"Grace"'), '"x"', "A_TEXT"),
    "Text": Type(('"as agreed"', '"too late"'), '"x"', "A_TEXT"),
    "Money": Type(
        ('Money.parse("2.50 EUR")', 'Money.parse("3 EUR")'),
        '"2.50 EUR"',
        'st.sampled_from(["1 EUR", "2.50 EUR"]).map(Money.parse)',
    ),
    "int": Type(("3", "4"), "3", "st.integers(0, 4)"),
    "bool": Type(("True", "False"), "True", "st.booleans()"),
}


@dataclass(frozen=True)
class Given:
    """A command, the event that it leads to, and the fields that both have."""

    command: str
    event: str
    fact: Name  # what has happened, in a word: opened
    act: Name
    fields: Mapping[str, str]

    @property
    def constants(self) -> tuple[str, str]:
        act, fact = self.act.upper, self.fact.upper
        return (act, f"WAS_{fact}" if act == fact else fact)

    @property
    def attribute(self) -> str:
        """Of the state; and a variable in ``decide``."""
        word = self.fact.snake
        taken = {"state", "event", "command", "replace", *self.fields}
        return f"was_{word}" if keyword.iskeyword(word) or word in taken else word

    @property
    def example(self) -> str:
        """Arguments for an example of the histories: the class, and fields as JSON has them."""
        written = (f"{name}={TYPES[type].written}" for name, type in self.fields.items())
        return ", ".join((self.command, *written))

    def values(self, number: int) -> str:
        """Arguments for its fields; ``number`` is 0 or 1."""
        values = {name: TYPES[type].values[number] for name, type in self.fields.items()}
        return ", ".join(f"{name}={value}" for name, value in values.items())


def read(aggregate: Name, texts: Sequence[str]) -> Sequence[Given]:
    """The commands in order: the first begins a stream, the last of several ends it.

    Raises :class:`UsageError` for what cannot be read, and for two of one name.
    """
    given = [_read(aggregate, text) for text in texts]
    for what, names in (
        ("commands", [one.command for one in given]),
        ("events", [one.event for one in given]),
        ("classes", [name for one in given for name in (one.command, one.event)]),
    ):
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"two {what} are called {', '.join(doubles)}: give each its own name")
    types: dict[str, str] = {}
    for one in given:
        for field, type in one.fields.items():
            if types.setdefault(field, type) != type:
                raise UsageError(f"{field} is {types[field]} and {type}: give both one type")
    return given


def _read(aggregate: Name, text: str) -> Given:
    found = _COMMAND.fullmatch(text)
    if not found:
        raise UsageError(
            f"{text!r} is not a command with its event: write 'Issue(total: Money) -> Issued'"
        )
    command, fields, event = found.groups()
    act, fact = (fact_of(aggregate, name) for name in (command, event))
    return Given(
        command if _names(aggregate, command) else f"{act.pascal}{aggregate.pascal}",
        event if _names(aggregate, event) else f"{aggregate.pascal}{fact.pascal}",
        fact,
        act,
        dict(_field(one) for one in (fields or "").split(",") if one.strip()),
    )


def fact_of(aggregate: Name, name: str) -> Name:
    """What it says without the name of the aggregate: ``IssueTicket`` → ``issue``."""
    return Name(snake_of(_rest(aggregate, name) or name))


def _names(aggregate: Name, name: str) -> bool:
    """Whether it has the name of the aggregate and a word more: an ``open`` is not *opened*."""
    return _rest(aggregate, name) not in ("", name)


def _rest(aggregate: Name, name: str) -> str:
    return re.sub(rf"{aggregate.pascal}(?![a-z])", "", name, count=1)


def _field(text: str) -> tuple[str, str]:
    found = _FIELD.fullmatch(text)
    if not found:
        raise UsageError(f"{text.strip()!r} is not a field: write it like 'total: Money'")
    name, type = found.groups()
    if type not in TYPES:
        raise UsageError(f"{type!r} is not a type of a field: use one of {', '.join(TYPES)}")
    if keyword.iskeyword(name) or hasattr(BaseModel, name) or _is_otherwise(name, type):
        raise UsageError(f"{name!r} cannot be a field: Python or the kit uses that word otherwise")
    return name, type


def _is_otherwise(name: str, type: str) -> bool:
    """Whether events of the kit have a field of that name and of another type."""
    of_texts = name in _TEXTS_OF_THE_KIT and type not in ("Text", "Name")
    return name in _VALUES_OF_THE_KIT or of_texts or name.startswith("model_")


def new_to_the_kit(fields: Mapping[str, str]) -> Mapping[str, str]:
    """Those that the histories of the kit do not draw already."""
    return {name: type for name, type in fields.items() if name not in _TEXTS_OF_THE_KIT}
