"""A log file into which several processes write."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import WatchedFileHandler
from pathlib import Path


class Shared(WatchedFileHandler):
    """Appends whole lines to a file. The process that finds it full renames it.

    The others notice at their next line that the name leads to a new file.
    """

    def __init__(self, file: Path, *, most: int, kept: int) -> None:
        """Renames a file of ``most`` bytes, to ``FILE.1``; ``kept`` such files are kept."""
        super().__init__(file, encoding="utf-8")
        self._file, self._most, self._kept = file, most, kept

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._is_full():
                self._rotate()
        except OSError:
            self.handleError(record)
        super().emit(record)

    def _is_full(self) -> bool:
        return self._file.exists() and self._file.stat().st_size >= self._most

    def _rotate(self) -> None:
        with _locked(self._file.parent):
            if not self._is_full():
                return  # another process has renamed it
            for number in range(self._kept, 1, -1):
                older = self._numbered(number - 1)
                if older.exists():
                    older.replace(self._numbered(number))
            self._file.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._file.with_name(f"{self._file.name}.{number}")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One process at a time. The lock ends with the process."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
