"""Where a node keeps its log: one directory, held by one process, with one SQLite file in it."""

import fcntl
import os
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Final

_FILE: Final = "log.sqlite3"
_LOCK: Final = "node.lock"
_PATIENCE: Final = 3.0  # seconds to wait for a node that is ending
_FORMAT: Final = 1
_APPLICATION: Final = 0x45534442  # "ESDB": marks our SQLite files

_SCHEMA: Final = """
CREATE TABLE streams (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last_version INTEGER NOT NULL DEFAULT -1,
    max_count INTEGER,
    max_age INTEGER,
    truncate_before INTEGER
);
CREATE TABLE records (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    version INTEGER NOT NULL,
    id BLOB NOT NULL,
    type TEXT NOT NULL,
    is_json INTEGER NOT NULL,
    created INTEGER NOT NULL,
    metadata BLOB NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX records_by_version ON records (stream, version);
CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class StorageUnavailable(Exception):
    """The log cannot be opened or written; the text says what is wrong and what would be right."""


class DataDirectory:
    """A directory held by this process until ``close``; ``None``: a temporary one.

    In a temporary directory nothing is synchronised to disk: the log lasts as long as the process.
    """

    def __init__(self, path: Path | None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="esdb-") if path is None else None
        self.path: Final = Path(self._temporary.name) if self._temporary else path or Path()
        self._synchronous = "OFF" if self._temporary else "FULL"
        self._lock = _hold(self.path)

    def open_log(self) -> sqlite3.Connection:
        """The connection for writing; creates the tables in an empty file.

        Raises StorageUnavailable.
        """
        file = self.path / _FILE
        try:
            connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA cache_size = -8192")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")  # 16 MB: fewer syncs per batch
            connection.execute("PRAGMA journal_size_limit = 16777216")
            _lay_out(connection, file)
            connection.execute("DROP INDEX IF EXISTS records_by_id")  # in logs of earlier versions
        except sqlite3.Error as error:
            raise StorageUnavailable(_unreadable(file, error)) from error
        return connection

    def open_reader(self) -> sqlite3.Connection:
        """A connection that sees every commit and cannot write."""
        connection = sqlite3.connect(self.path / _FILE, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cache_size = -4096")
        return connection

    def close(self) -> None:
        os.close(self._lock)
        if self._temporary:
            self._temporary.cleanup()


def _hold(directory: Path) -> int:
    """Lock the directory for this process; the lock ends with the process, however it ends.

    Waits 3 s for a node that is ending, for example because its parent was killed.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StorageUnavailable(
            f"cannot write in {directory}: {error.strerror}; "
            "give a directory that this user may create files in"
        ) from error
    deadline = time.monotonic() + _PATIENCE
    while not _locked(lock):
        if time.monotonic() > deadline:
            holder = os.read(lock, 32).decode(errors="replace").strip()
            os.close(lock)
            raise StorageUnavailable(
                f"{directory} is in use by another node (process {holder or 'unknown'}); "
                "stop that one or give another directory"
            )
        time.sleep(0.02)
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lay_out(connection: sqlite3.Connection, file: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not tables:
        connection.executescript(
            f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION};"
            f"PRAGMA user_version = {_FORMAT}; COMMIT;"
        )
    elif application != _APPLICATION:
        raise StorageUnavailable(f"{file} is another program's SQLite file; give another directory")
    elif version != _FORMAT:
        raise StorageUnavailable(
            f"{file} has format {version}, this node reads format {_FORMAT}; "
            "use the release that wrote it or give another directory"
        )


def _unreadable(file: Path, error: sqlite3.Error) -> str:
    if isinstance(error, sqlite3.OperationalError):
        return f"cannot open {file}: {error}; check the directory's permissions and free space"
    return f"{file} is damaged ({error}); restore it from a backup or move it away to start empty"
