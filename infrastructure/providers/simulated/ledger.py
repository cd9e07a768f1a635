"""What a provider remembers: every call under its key, and what it answered the first time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from application.ports import Declined, Done
from application.shop.ports import Authorised, Booked
from infrastructure.providers.simulated.faults import Subject


@dataclass(frozen=True)
class Refusal:
    """The call makes no sense to the provider."""

    reason: str


G = TypeVar("G", bound=Authorised | Booked)  # what the provider grants
Told: TypeAlias = G | Declined | Done
Answer: TypeAlias = Told[G] | Refusal


class Call(BaseModel):
    """What a provider is asked to do. Two calls of the same content are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")


C = TypeVar("C", bound=Call)


@dataclass(frozen=True)
class Entry(Generic[C, G]):
    """One call, and the answer that it has for good."""

    key: str
    call: C
    answer: Answer[G]


class Books(Protocol[C, G]):
    """The rules of one provider, over what it has done so far."""

    def decide(self, key: str, call: C, decline: str | None) -> Answer[G]:
        """The answer to a call with a new key; ``decline``: why it should say no if it can."""
        ...

    def enter(self, entry: Entry[C, G]) -> None:
        """Let the answer have its effect."""
        ...

    def subject(self, key: str, call: C) -> Subject:
        """What the call is about."""
        ...


def _nowhere(_: Entry[C, G]) -> None:
    pass


class Ledger(Generic[C, G]):
    """A provider's books, and all calls by key. Never waits: nothing can come in between."""

    def __init__(
        self,
        books: Books[C, G],
        kept: Iterable[Entry[C, G]] = (),
        keep: Callable[[Entry[C, G]], None] = _nowhere,
    ) -> None:
        """Goes on after the entries ``kept``, and hands each new one to ``keep`` first."""
        self.books = books
        self._entries: dict[str, Entry[C, G]] = {}
        self._keep = keep
        for entry in kept:
            self._enter(entry)

    @property
    def entries(self) -> Mapping[str, Entry[C, G]]:
        return self._entries

    def answer(self, key: str, call: C, decline: str | None = None) -> Answer[G]:
        """What comes of the call: now, or the first time it came."""
        if known := self._entries.get(key):
            return known.answer if known.call == call else Refusal(_used(key, known))
        entry = Entry(key, call, self.books.decide(key, call, decline))
        self._keep(entry)
        self._enter(entry)
        return entry.answer

    def _enter(self, entry: Entry[C, G]) -> None:
        self.books.enter(entry)
        self._entries[entry.key] = entry


def _used(key: str, entry: Entry[C, G]) -> str:
    return f"the key {key!r} was used for another call, {entry.call!r}"
