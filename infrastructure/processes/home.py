"""The directory of a running service. One service at a time uses it, and other commands find it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from infrastructure.processes import CommandFailed
from infrastructure.processes.found import Found, Running
from infrastructure.settings import EVENT_STORES, EventStore, Settings


class Home:
    """A directory and its lock, which the operating system frees when the process ends."""

    def __init__(self, settings: Settings) -> None:
        self.directory = settings.home.absolute()
        self._setting = settings.name_of("home")
        self._notice = self.directory / "running.json"
        self._kept = self.directory / "event-store"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Holds the lock for the block. Raises ``CommandFailed`` while another process does."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._close_to_others()
            lock = (self.directory / "lock").open("a")
        except OSError as error:
            raise CommandFailed(
                f"{self.directory} cannot be used ({error.strerror}): make it writable, "
                f"or set {self._setting} to another directory"
            ) from error
        with lock:
            if not _locked(lock):
                raise CommandFailed(self._occupied())
            self._notice.unlink(missing_ok=True)  # left by a service that was killed
            try:
                yield
            finally:
                self._notice.unlink(missing_ok=True)

    def announce(self, running: Running) -> None:
        """Write down how other commands reach the service that runs here."""
        draft = self._notice.with_suffix(".new")
        with open(draft, "w", opener=_private) as file:
            json.dump(running.document, file)
        draft.replace(self._notice)

    def running(self) -> Running | None:
        """The service that runs here now, once it has announced itself."""
        try:
            with (self.directory / "lock").open("a") as lock:
                return None if _locked(lock) else Running.of(json.loads(self._notice.read_text()))
        except (OSError, ValueError, KeyError):  # there is none, or it is not a notice of ours
            return None

    def found(self) -> Found:
        """What there is here now."""
        holds = frozenset(name for name in _SERVERS if (self.directory / name).is_dir())
        return Found(self.running(), self._keeps(), holds)

    def keep(self, store: EventStore) -> None:
        """Write down that this store has its events here."""
        self._kept.write_text(f"{store}\n")

    def _close_to_others(self) -> None:
        """Removes the rights that an earlier release gave to other users of the machine."""
        for name in _OURS:
            path = self.directory / name
            if path.exists() and path.stat().st_mode & 0o077:
                path.chmod(path.stat().st_mode & 0o700)

    def _keeps(self) -> EventStore | None:
        first = EVENT_STORES[0]  # an early release had one store, and wrote nothing down
        if self._kept.exists():
            kept = self._kept.read_text().strip()
            return next((store for store in EVENT_STORES if store == kept), first)
        return first if (self.directory / first).is_dir() else None

    def _occupied(self) -> str:
        if running := self.running():
            return (
                f"a service is running in {self.directory} already, as process {running.pid} at "
                f"{running.url}: stop it first, or set {self._setting} to another directory"
            )
        return (
            f"another command is at work in {self.directory}: "
            f"wait for it, or set {self._setting} to another directory"
        )


_SERVERS: Final = (
    # those with data here
    "eventstoredb",  # only: eventstoredb and embedded
    "postgres",  # only: postgres and embedded
    "temporal",  # only: temporal and embedded
    "providers",
)
_OURS: Final = (*_SERVERS, "event-store", "lock", "log", "payloads", "running.json")


def _locked(file: IO[str]) -> bool:
    """Whether this process has the lock now. It keeps it until the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # an address may hold a password
