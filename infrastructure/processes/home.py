"""The directory of a running service. One service at a time uses it, and other commands find it."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final, Self

from infrastructure.processes import CommandFailed
from infrastructure.settings import EventStore, Settings


@dataclass(frozen=True)
class Running:
    """A service that runs in a home, and how to reach it and its servers."""

    pid: int
    url: str
    event_store: EventStore
    servers: Mapping[str, str]
    """The addresses of its servers, by the fields of the settings."""

    @classmethod
    def here(cls, settings: Settings, url: str) -> Self:
        """This process, over the servers in these settings."""
        fields = (field for field in type(settings).model_fields if field.endswith(_ADDRESS))
        given = {field: getattr(settings, field) for field in fields}
        servers = {field: uri for field, uri in given.items() if uri is not None}
        return cls(os.getpid(), url, settings.event_store, servers)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """What a service has announced, of this release or an earlier one."""
        addresses = {field: uri for field, uri in document.items() if field.endswith(_ADDRESS)}
        servers = {field: uri for field, uri in addresses.items() if uri}
        store = document.get("event_store", "eventstoredb")
        return cls(document["pid"], document["url"], store, servers)

    @property
    def document(self) -> Mapping[str, Any]:
        """What it announces."""
        own = {"pid": self.pid, "url": self.url, "event_store": self.event_store}
        return {"eventstoredb_uri": None, **self.servers, **own}

    @property
    def events_uri(self) -> str | None:
        """The address of the server that has its events."""
        store = "postgres" if self.event_store == "postgres" else "eventstoredb"
        return self.servers.get(f"{store}{_ADDRESS}")


@dataclass(frozen=True)
class Found:
    """What there is in a home."""

    running: Running | None = None
    keeps: EventStore | None = None
    """The event store that has its events here."""
    holds: frozenset[str] = frozenset()
    """The embedded servers that have data here, by their names."""


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
        if self._kept.exists():
            return "postgres" if self._kept.read_text().strip() == "postgres" else "eventstoredb"
        return "eventstoredb" if (self.directory / "eventstoredb").is_dir() else None

    def _occupied(self) -> str:
        if running := self.running():
            return (
                f"headwater is running in {self.directory} already, as process {running.pid} at "
                f"{running.url}: stop it first, or set {self._setting} to another directory"
            )
        return (
            f"another headwater command is at work in {self.directory}: "
            f"wait for it, or set {self._setting} to another directory"
        )


_ADDRESS: Final = "_uri"  # what the fields of the settings that have an address end with
_SERVERS: Final = ("eventstoredb", "postgres", "providers")
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
