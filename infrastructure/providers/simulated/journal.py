"""What the simulated providers never forget, in one SQLite file: calls, answers, faults."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from infrastructure.providers.provider import C, G, Provider
from infrastructure.providers.simulated.rules import Answer, Entry, Refusal

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    key TEXT NOT NULL,
    call TEXT NOT NULL,
    content TEXT NOT NULL,
    answer TEXT NOT NULL,
    UNIQUE (provider, key)
);
CREATE TABLE IF NOT EXISTS faults (one INTEGER PRIMARY KEY CHECK (one = 1), told TEXT NOT NULL);
"""


class JournalUnavailable(Exception):
    """The file cannot be used; the text says why."""


class Journal:
    """A file held by one process. What has been kept is there after the death of the process."""

    def __init__(self, file: Path | None) -> None:
        """``None``: in memory only. Raises :class:`JournalUnavailable`."""
        try:
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(file or ":memory:", isolation_level=None, timeout=1)
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")  # a power cut may take the last calls
            self._file.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise JournalUnavailable(f"cannot keep the journal in {file}: {error}") from error

    def entries(self, provider: Provider[C, G, Any]) -> Iterator[Entry[C, G]]:
        """All that has been kept for a provider, in order.

        Raises :class:`JournalUnavailable` for a call that the provider does not declare.
        """
        rows = self._file.execute(
            "SELECT key, call, content, answer FROM calls WHERE provider = ? ORDER BY number",
            (provider.name,),
        )
        for key, name, content, answer in rows:
            if (call := provider.calls.get(name)) is None:
                raise JournalUnavailable(f"{key!r} is a call {name!r}, unknown to {provider.name}")
            known: Answer[G] = _read(provider, answer)
            yield Entry(key, call.model_validate_json(content), known)

    def keep(self, provider: Provider[C, G, Any], entry: Entry[C, G]) -> None:
        """Store a call and its answer, before the answer is sent."""
        name, answer = provider.name_of(entry.call), _written(provider, entry.answer)
        self._file.execute(
            "INSERT INTO calls (provider, key, call, content, answer) VALUES (?, ?, ?, ?, ?)",
            (provider.name, entry.key, name, entry.call.model_dump_json(), answer),
        )

    @property
    def faults(self) -> str | None:
        """What was kept of the faults."""
        row = self._file.execute("SELECT told FROM faults").fetchone()
        return None if row is None else str(row[0])

    def keep_faults(self, plan: str) -> None:
        self._file.execute("INSERT OR REPLACE INTO faults VALUES (1, ?)", (plan,))

    def close(self) -> None:
        self._file.close()


def _written(provider: Provider[C, G, Any], answer: Answer[G]) -> str:
    if isinstance(answer, Refusal):
        return json.dumps({"refused": answer.reason})
    return json.dumps(provider.answers.written(answer))


def _read(provider: Provider[C, G, Any], answer: str) -> Answer[G]:
    match json.loads(answer):
        case {"refused": str(reason)}:
            return Refusal(reason)
        case written:
            known = provider.answers.read(written)
            assert known is not None  # every call that is kept has an answer
            return known
