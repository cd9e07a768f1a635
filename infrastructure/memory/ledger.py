"""What a provider remembers: every call under its key, and what it answered the first time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from application.ports import Authorised, Booked, Declined, Done
from infrastructure.memory.faults import Subject


@dataclass(frozen=True)
class Refusal:
    """The call makes no sense to the provider."""

    reason: str


Answer = Authorised | Booked | Declined | Done | Refusal


class Call(BaseModel):
    """What a provider is asked to do. Two calls of the same content are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")


C = TypeVar("C", bound=Call)


@dataclass(frozen=True)
class Entry(Generic[C]):
    """One call, and the answer that it has for good."""

    key: str
    call: C
    answer: Answer


class Books(Protocol[C]):
    """The rules of one provider, over what it has done so far."""

    def decide(self, key: str, call: C, decline: str | None) -> Answer:
        """The answer to a call with a new key; ``decline``: why it should say no if it can."""
        ...

    def enter(self, entry: Entry[C]) -> None:
        """Let the answer have its effect."""
        ...

    def subject(self, key: str, call: C) -> Subject:
        """What the call is about."""
        ...


def _nowhere(_: Entry[C]) -> None:
    pass


class Ledger(Generic[C]):
    """A provider's books, and all calls by key. Never waits: nothing can come in between."""

    def __init__(
        self,
        books: Books[C],
        kept: Iterable[Entry[C]] = (),
        keep: Callable[[Entry[C]], None] = _nowhere,
    ) -> None:
        """Goes on after the entries ``kept``, and hands each new one to ``keep`` first."""
        self.books = books
        self._entries: dict[str, Entry[C]] = {}
        self._keep = keep
        for entry in kept:
            self._enter(entry)

    @property
    def entries(self) -> Mapping[str, Entry[C]]:
        return self._entries

    def answer(self, key: str, call: C, decline: str | None = None) -> Answer:
        """What comes of the call: now, or the first time it came."""
        if known := self._entries.get(key):
            return known.answer if known.call == call else Refusal(_used(key, known))
        entry = Entry(key, call, self.books.decide(key, call, decline))
        self._keep(entry)
        self._enter(entry)
        return entry.answer

    def _enter(self, entry: Entry[C]) -> None:
        self.books.enter(entry)
        self._entries[entry.key] = entry


def _used(key: str, entry: Entry[C]) -> str:
    return f"the key {key!r} was used for another call, {entry.call!r}"

