"""What a command finds in a home: a service that runs there, and data that was kept."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from infrastructure.settings import EventStore, Settings

_ADDRESS: Final = "_uri"  # how the names of the fields end that have the address of a server


@dataclass(frozen=True)
class Running:
    """A service that runs in a home, and how to reach it and its servers."""

    pid: int
    url: str
    event_store: EventStore
    servers: Mapping[str, str]
    """The addresses of its servers, by the fields of the settings."""
    processes: Sequence[Mapping[str, str]] = ()
    """The ``role`` and the ``url`` of each of its processes, for health and metrics."""

    @classmethod
    def here(
        cls, settings: Settings, url: str, processes: Sequence[Mapping[str, str]] = ()
    ) -> Self:
        """This process, over the servers in these settings."""
        fields = (field for field in type(settings).model_fields if field.endswith(_ADDRESS))
        given = {field: getattr(settings, field) for field in fields}
        servers = {field: uri for field, uri in given.items() if uri is not None}
        return cls(os.getpid(), url, settings.event_store, servers, processes)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """What a service has announced, of this release or an earlier one."""
        addresses = {field: uri for field, uri in document.items() if field.endswith(_ADDRESS)}
        servers = {field: uri for field, uri in addresses.items() if uri}
        store = document.get("event_store", "eventstoredb")
        processes = document.get("processes", ())
        return cls(document["pid"], document["url"], store, servers, processes)

    @property
    def document(self) -> Mapping[str, Any]:
        """What it announces."""
        own = {"pid": self.pid, "url": self.url, "event_store": self.event_store}
        return {"eventstoredb_uri": None, **self.servers, **own, "processes": [*self.processes]}

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
