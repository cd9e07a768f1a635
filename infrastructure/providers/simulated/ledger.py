"""What a provider remembers: every call under its key, and what it answered the first time."""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic

from infrastructure.providers.provider import C, G, R
from infrastructure.providers.simulated.rules import Answer, Entry, Refusal, Rules


def _nowhere(_: Entry[C, G]) -> None:
    pass


class Ledger(Generic[C, G, R]):
    """All calls by key, answered by rules. Never waits: nothing can come in between."""

    def __init__(
        self,
        rules: Rules[C, G, R],
        kept: Iterable[Entry[C, G]] = (),
        keep: Callable[[Entry[C, G]], None] = _nowhere,
    ) -> None:
        """Goes on after the entries ``kept``, and hands each new one to ``keep`` first."""
        self.rules = rules
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
        entry = Entry(key, call, self.rules.decide(key, call, decline))
        self._keep(entry)
        self._enter(entry)
        return entry.answer

    def _enter(self, entry: Entry[C, G]) -> None:
        self.rules.apply(entry)
        self._entries[entry.key] = entry


def _used(key: str, entry: Entry[C, G]) -> str:
    return f"the key {key!r} was used for another call, {entry.call!r}"
