"""What tests of projections do, through esdbclient."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from esdbclient import EventStoreDBClient, NewEvent, RecordedEvent, StreamState
from esdbclient.exceptions import FailedPrecondition, NotFound

from waiting import eventually


class Projecting:
    """A client that writes events, and watches what projections make of them."""

    def __init__(self, client: EventStoreDBClient, fresh: Callable[[str], str]) -> None:
        self.client = client
        self._fresh = fresh
        self._projects: list[str] = []

    def project(self, query: str, *, emits: bool = True, tracks: bool = False) -> str:
        """A new projection; its name."""
        name = self._fresh("projection")
        self.client.create_projection(
            name=name, query=query, emit_enabled=emits, track_emitted_streams=tracks
        )
        self._projects.append(name)
        return name

    def end(self) -> None:
        """Deletes them: each that is left is a process, and work for all tests that follow."""
        for name in self._projects:
            with suppress(NotFound):
                self.client.disable_projection(name=name)
                self.client.delete_projection(name=name)

    def restart(self) -> None:
        """Restarts all of them, once they do not restart any more."""

        def is_restarting() -> bool:
            try:
                self.client.restart_projections_subsystem()
            except FailedPrecondition:
                return True
            return False

        eventually(is_restarting, False)

    def happens(
        self, stream: str, *kinds: str, metadata: dict[str, Any] | None = None, **data: Any
    ) -> list[NewEvent]:
        """Events of these types, all with the same data."""
        body, about = json.dumps(data).encode(), json.dumps(metadata or {}).encode()
        events = [NewEvent(kind, body, about) for kind in kinds]
        self.client.append_to_stream(stream, current_version=StreamState.ANY, events=events)
        return events

    def state(self, name: str, partition: str = "") -> Any:
        return self.client.projections.get_state(name=name, partition=partition).value

    def status(self, name: str) -> str:
        return self.client.get_projection_statistics(name=name).status

    def reason(self, name: str) -> str:
        return self.client.get_projection_statistics(name=name).state_reason

    def processed(self, name: str) -> int:
        return self.client.get_projection_statistics(name=name).events_processed_after_restart

    def events(self, stream: str) -> list[RecordedEvent]:
        """The data of a stream; empty if it does not exist."""
        try:
            return list(self.client.get_stream(stream))
        except NotFound:
            return []

    def bodies(self, stream: str) -> list[Any]:
        return [json.loads(event.data) for event in self.events(stream)]

    def said(self, stream: str) -> list[str]:
        """What its events say, as text."""
        return [event.data.decode() for event in self.events(stream)]

    def has_state(self, name: str, expected: Any, partition: str = "") -> None:
        """Waits until it has."""
        eventually(lambda: self.state(name, partition), expected)

    def has_processed(self, name: str, count: int) -> None:
        """Waits until it has."""
        eventually(lambda: self.processed(name), count)

    def has_faulted(self, name: str) -> str:
        """Waits until it has; why."""
        eventually(lambda: self.status(name).startswith("Faulted"), True)
        return self.reason(name)

    def has_left(self, name: str) -> None:
        """Waits until nothing of it is left but its streams."""

        def is_there() -> bool:
            try:
                return self.status(name).startswith("Deleting")
            except NotFound:
                return False

        eventually(is_there, False)
