"""The directory that a running service lives in: one service at a time, found by other commands."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, Final, Self

from infrastructure.processes import Hindrance
from infrastructure.settings import EventStore, Settings


@dataclass(frozen=True)
class Running:
    """Where the service that lives here can be reached."""

    pid: int
    eventstoredb_uri: str | None
    postgres_uri: str
    url: str
    payment_provider_uri: str | None = None
    carrier_uri: str | None = None
    event_store: EventStore = "eventstoredb"

    @classmethod
    def here(cls, settings: Settings, url: str) -> Self:
        """This process, over the servers in these settings."""
        assert settings.postgres_uri is not None  # a running service has one
        return cls(
            os.getpid(),
            settings.eventstoredb_uri,
            settings.postgres_uri,
            url,
            settings.payment_provider_uri,
            settings.carrier_uri,
            settings.event_store,
        )


class Home:
    """A directory, and the lock of who owns it: it goes with its process, however that ends."""

    def __init__(self, settings: Settings) -> None:
        self.directory = settings.home.absolute()
        self._setting = settings.name_of("home")
        self._notice = self.directory / "running.json"
        self._kept = self.directory / "event-store"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Live here alone. Raises :class:`Hindrance` when somebody does already."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._close_to_others()
            lock = (self.directory / "lock").open("a")
        except OSError as error:
            raise Hindrance(
                f"{self.directory} cannot be used ({error.strerror}): make it writable, "
                f"or set {self._setting} to another directory"
            ) from error
        with lock:
            if not _locked(lock):
                raise Hindrance(self._occupied())
            self._notice.unlink(missing_ok=True)  # of a service that was killed
            try:
                yield
            finally:
                self._notice.unlink(missing_ok=True)

    def announce(self, running: Running) -> None:
        """Let other commands find the service that lives here."""
        draft = self._notice.with_suffix(".new")
        with open(draft, "w", opener=_private) as file:
            json.dump(asdict(running), file)
        draft.replace(self._notice)

    def running(self) -> Running | None:
        """The service that lives here now, if one does and has announced itself."""
        try:
            with (self.directory / "lock").open("a") as lock:
                return None if _locked(lock) else Running(**json.loads(self._notice.read_text()))
        except OSError:
            return None

    def understood(self, settings: Settings) -> Settings:
        """The settings with the event store that this home has, where none is named.

        The one of the service that runs here; else the one that keeps its events here. Raises
        :class:`Hindrance` when another one is named, since its events would not be found there.
        """
        if settings.events_uri is not None:
            return settings  # a server outside of this home
        running = self.running()
        has = running.event_store if running else self._keeps()
        if has is None or has == settings.event_store:
            return settings
        if "event_store" not in settings.model_fields_set:
            return settings.model_copy(update={"event_store": has})
        doing = "the service that runs in" if running else "the events in"
        raise Hindrance(
            f"{doing} {self.directory} {'has its events' if running else 'are'} in {_NAMES[has]}, "
            f"not in {_NAMES[settings.event_store]}: "
            f"set {settings.name_of('event_store')}={has} or leave it out, "
            f"or set {self._setting} to another directory"
        )

    def keep(self, store: EventStore) -> None:
        """Remember that this store keeps its events here."""
        self._kept.write_text(f"{store}\n")

    def _close_to_others(self) -> None:
        """An earlier release let every user of the machine read what is in it."""
        for name in _OURS:
            path = self.directory / name
            if path.exists() and path.stat().st_mode & 0o077:
                path.chmod(path.stat().st_mode & 0o700)

    def _keeps(self) -> EventStore | None:
        if self._kept.exists():
            return "postgres" if self._kept.read_text().strip() == "postgres" else "eventstoredb"
        return "eventstoredb" if (self.directory / "eventstoredb").exists() else None

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


_OURS: Final = (
    "eventstoredb",
    "event-store",
    "lock",
    "log",
    "payloads",
    "postgres",
    "providers",
    "running.json",
)
_NAMES: Final[Mapping[EventStore, str]] = {
    "eventstoredb": "EventStoreDB",
    "postgres": "PostgreSQL",
}


def _locked(file: IO[str]) -> bool:
    """Whether the lock is ours now; it is until the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # an address may hold a password
