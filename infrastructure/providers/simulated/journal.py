"""What the simulated providers never forget, in one SQLite file: calls, answers, faults."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from infrastructure.providers.answers import read, written
from infrastructure.providers.simulated.ledger import Call, Entry, Refusal

C = TypeVar("C", bound=Call)

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
            raise JournalUnavailable(f"cannot keep books in {file}: {error}") from error

    def entries(self, provider: str, calls: Mapping[str, type[C]]) -> Iterator[Entry[C, Any]]:
        """All that has been kept for a provider, in order."""
        rows = self._file.execute(
            "SELECT key, call, content, answer FROM calls WHERE provider = ? ORDER BY number",
            (provider,),
        )
        for key, call, content, answer in rows:
            yield Entry(key, calls[call].model_validate_json(content), _read(answer))

    def keep(self, provider: str, call: str, entry: Entry[Any, Any]) -> None:
        """Keep a call and its answer, before anybody hears of it."""
        self._file.execute(
            "INSERT INTO calls (provider, key, call, content, answer) VALUES (?, ?, ?, ?, ?)",
            (provider, entry.key, call, entry.call.model_dump_json(), _written(entry.answer)),
        )

    @property
    def faults(self) -> str | None:
        """What was kept of the faults."""
        row = self._file.execute("SELECT told FROM faults").fetchone()
        return None if row is None else str(row[0])

    def keep_faults(self, told: str) -> None:
        self._file.execute("INSERT OR REPLACE INTO faults VALUES (1, ?)", (told,))

    def close(self) -> None:
        self._file.close()


def _written(answer: Any) -> str:
    refused = isinstance(answer, Refusal)
    return json.dumps({"refused": answer.reason} if refused else written(answer))


def _read(answer: str) -> Any:
    match json.loads(answer):
        case {"refused": str(reason)}:
            return Refusal(reason)
        case said:
            return read(said)
