"""One saga's stream: its state as of the last read, and appends to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID, uuid4, uuid5

from application.messages import Context, RecordedEvent
from application.own_events import OWN
from application.ports import NO_STREAM, EventStore, WrongExpectedVersion
from application.sagas.events import SagaEvent
from application.sagas.state import SagaState, evolve


class SagaStream:
    """Moves on by appends that expect exactly the version it was seen at."""

    def __init__(self, store: EventStore, saga: str, id: str) -> None:
        self.saga, self.id = saga, id
        self.state, self.version = SagaState(), NO_STREAM
        self._store = store
        self._cause: str = ""  # the id of the last event, or of the one that starts it
        self._correlation_id = ""
        self._traceparent: str | None = None
        self._started_at: datetime | None = None
        self._waits_since: datetime | None = None
        self._waited = timedelta()
        self.changed_at = _NEVER

    @property
    def name(self) -> str:
        return f"{self.saga}-{self.id}"

    async def read(self) -> Self:
        """See what has been added since."""
        async for recorded in self._store.read(self.name, from_version=self.version + 1):
            event: Any = recorded.event
            self._take_in(event, recorded.metadata.occurred_at)
            self.version = recorded.version
            self.caused_by(recorded)
        return self

    def caused_by(self, recorded: RecordedEvent) -> None:
        """What comes next follows from that event."""
        self._cause = str(recorded.id)
        self._correlation_id = recorded.metadata.correlation_id
        self._traceparent = recorded.metadata.traceparent

    async def append(self, events: Sequence[SagaEvent], now: datetime) -> bool:
        """Add these; ``False`` when another was first: then what it added has been read."""
        context = self.context(f"version {self.version}", now)
        # Ids of its own: where two engines add the same, one has to hear that it was second.
        new = [OWN.new_event(event, uuid4(), context) for event in events]
        try:
            appended = await self._store.append(self.name, new, self.version)
        except WrongExpectedVersion:
            await self.read()
            return False
        self.version, self._cause = appended.version, str(new[-1].id)
        for event in events:
            self._take_in(event, now)
        return True

    def _take_in(self, event: SagaEvent, at: datetime) -> None:
        self.state, self.changed_at = evolve(self.state, event), at
        self._started_at = self._started_at or at
        if self.state.waiting:
            self._waits_since = self._waits_since or at
        elif self._waits_since is not None:
            self._waited, self._waits_since = self._waited + (at - self._waits_since), None

    def context(self, about: str, now: datetime) -> Context:
        """Of a command of this saga; the same command for the same words."""
        return Context(
            command_id=uuid5(_SAGAS, f"{self.name} {about}"),
            correlation_id=self._correlation_id,
            causation_id=self._cause,
            actor=self.saga,
            occurred_at=now,
            traceparent=self._traceparent,
            saga_id=self.name,
        )

    def age(self, now: datetime) -> timedelta:
        """How long it has been at work: since its start, without the time in which it waited."""
        if self._started_at is None:
            return timedelta()
        waits = now - self._waits_since if self._waits_since else timedelta()
        return now - self._started_at - self._waited - waits


_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_SAGAS: Final = UUID("5f0c9f6e-5a5e-4f0b-8d0e-6a9d1f7a3c21")
