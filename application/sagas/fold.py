"""One saga as far as its stream is known: its state, and what its next event follows from."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from application.identity import uuid5
from application.messages import Context, RecordedEvent
from application.ports import NO_STREAM
from application.sagas.events import SagaEvent
from application.sagas.state import SagaState, evolve

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass
class SagaFold:
    """Reads nothing and asks no clock, so every engine can keep one, and hand it on as it is."""

    saga: str
    id: str
    state: SagaState = field(default_factory=SagaState)
    version: int = NO_STREAM
    cause: str = ""  # the id of the last event, or of the one that starts it
    correlation_id: str = ""
    traceparent: str | None = None
    on_behalf_of: str | None = None  # the actor who set it off
    started_at: datetime | None = None
    changed_at: datetime = _NEVER
    waits_since: datetime | None = None
    waited: timedelta = timedelta()

    @property
    def name(self) -> str:
        """Of its stream."""
        return f"{self.saga}-{self.id}"

    def caused_by(self, recorded: RecordedEvent) -> None:
        """What comes next follows from that event.

        On whose behalf a saga acts is decided by the event that starts it.
        """
        if recorded.stream != self.name:
            self.on_behalf_of = recorded.metadata.principal
        elif recorded.metadata.on_behalf_of is not None:
            self.on_behalf_of = recorded.metadata.on_behalf_of
        self.cause = str(recorded.id)
        self.correlation_id = recorded.metadata.correlation_id
        self.traceparent = recorded.metadata.traceparent

    def take_in(self, event: SagaEvent, at: datetime) -> None:
        """The next event of the stream; its place is counted by the caller."""
        self.state, self.changed_at = evolve(self.state, event), at
        self.started_at = self.started_at or at
        if self.state.waiting:
            self.waits_since = self.waits_since or at
        elif self.waits_since is not None:
            self.waited, self.waits_since = self.waited + (at - self.waits_since), None

    def context(self, about: str, now: datetime, *, actor: str | None = None) -> Context:
        """Of a command of this saga; the same command for the same words.

        ``actor``: who gives it, if that is not the saga itself.
        """
        return Context(
            command_id=uuid5(_SAGAS, f"{self.name} {about}"),
            correlation_id=self.correlation_id,
            causation_id=self.cause,
            actor=actor or self.saga,
            occurred_at=now,
            traceparent=self.traceparent,
            saga_id=self.name,
            on_behalf_of=self.on_behalf_of,
        )

    def age(self, now: datetime) -> timedelta:
        """How long it has been at work: since its start, without the time in which it waited."""
        if self.started_at is None:
            return timedelta()
        waits = now - self.waits_since if self.waits_since else timedelta()
        return now - self.started_at - self.waited - waits


_SAGAS: Final = UUID("5f0c9f6e-5a5e-4f0b-8d0e-6a9d1f7a3c21")
