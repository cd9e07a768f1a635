"""One saga's stream: its state as of the last read, and appends to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

from application.own_events import OWN
from application.ports import EventStore, WrongExpectedVersion
from application.sagas.events import SagaEvent
from application.sagas.fold import SagaFold


class SagaStream(SagaFold):
    """Moves on by appends that expect exactly the version it was seen at."""

    def __init__(self, store: EventStore, saga: str, id: str) -> None:
        super().__init__(saga, id)
        self._store = store

    async def read(self) -> Self:
        """See what has been added since."""
        async for recorded in self._store.read(self.name, from_version=self.version + 1):
            event: Any = recorded.event
            self.take_in(event, recorded.occurred_at)
            self.version = recorded.version
            self.caused_by(recorded)
        return self

    async def append(
        self, events: Sequence[SagaEvent], now: datetime, *, actor: str | None = None
    ) -> bool:
        """Add these; ``False`` when another was first: then what it added has been read.

        ``actor``: who adds them, if that is not the saga itself.
        """
        context = self.context(f"version {self.version}", now, actor=actor)
        # Ids of its own: where two engines add the same, one has to hear that it was second.
        new = [OWN.new_event(event, uuid4(), context) for event in events]
        try:
            appended = await self._store.append(self.name, new, self.version)
        except WrongExpectedVersion:
            await self.read()
            return False
        self.version, self.cause = appended.version, str(new[-1].id)
        for event in events:
            self.take_in(event, now)
        return True
