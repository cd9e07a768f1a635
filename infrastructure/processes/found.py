"""What a command finds in a home: a service that runs there, and data that was kept."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from infrastructure.settings import EVENT_STORES, EventStore, Settings, is_address, leading_to


@dataclass(frozen=True)
class Running:
    """A service that runs in a home, and how to reach it and its servers."""

    pid: int
    url: str
    event_store: EventStore
    servers: Mapping[str, str]
    """What leads to its servers, by the fields of the settings."""
    processes: Sequence[Mapping[str, str]] = ()
    """The ``role`` and the ``url`` of each of its processes, for health and metrics."""
    # only: opensearch
    search_at: Mapping[str, str] = field(default_factory=dict)
    """What leads to its OpenSearch, by the fields of the settings."""
    # end: opensearch
    views_at: Mapping[str, str] = field(default_factory=dict)
    """What leads to its read models, where those need no address, by the fields of the settings."""

    @classmethod
    def here(
        cls, settings: Settings, url: str, processes: Sequence[Mapping[str, str]] = ()
    ) -> Self:
        """This process, over the servers in these settings."""
        given = {field: getattr(settings, field) for field in settings.addresses()}
        servers = {field: uri for field, uri in given.items() if uri is not None}
        servers |= settings.events_at
        return cls(
            os.getpid(),
            url,
            settings.event_store,
            servers,
            processes,
            views_at=settings.views_at,
            search_at=settings.search_at,  # only: opensearch
        )

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """What a service has announced, of this release or an earlier one."""
        store = document.get("event_store", EVENT_STORES[0])
        addresses = {field: uri for field, uri in document.items() if is_address(field)}
        servers = {field: uri for field, uri in addresses.items() if uri}
        servers |= leading_to(store, document)
        return cls(
            document["pid"],
            document["url"],
            store,
            servers,
            document.get("processes", ()),
            views_at=document.get("views_at", {}),
            search_at=document.get("search_at", {}),  # only: opensearch
        )

    @property
    def document(self) -> Mapping[str, Any]:
        """What it announces."""
        own = {"pid": self.pid, "url": self.url, "event_store": self.event_store}
        more = {"processes": [*self.processes], "views_at": self.views_at}
        more["search_at"] = self.search_at  # only: opensearch
        return {**self.servers, **own, **more}

    @property
    def events_at(self) -> Mapping[str, str]:
        """What leads to its events, by fields."""
        return leading_to(self.event_store, self.servers)


@dataclass(frozen=True)
class Found:
    """What there is in a home."""

    running: Running | None = None
    keeps: EventStore | None = None
    """The event store that has its events here."""
    holds: frozenset[str] = frozenset()
    """The servers that were started here and have data here, by their names."""
