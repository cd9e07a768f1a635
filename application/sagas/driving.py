"""What an engine of sagas is to all others: it is handed events, and moves sagas on."""

from datetime import timedelta
from typing import Protocol

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.sagas.events import SagaEvent
from application.sagas.state import SagaState


class SagaDriver(Protocol):
    """Drives the sagas of one name, each by the definition that it was started with."""

    @property
    def events(self) -> EventFilter:
        """The events that it has to be handed."""
        ...

    async def handle(self, recorded: RecordedEvent) -> None:
        """Move on the sagas that the event is about, or see to it that they are. Idempotent.

        Raises ``StoreUnavailable``, ``ProviderUnavailable``, ``NotHere`` and any bug; then the
        event has to be handed to it again.
        """
        ...


class Observer(Protocol):
    """Called with each event that an engine here has recorded."""

    def __call__(self, saga: str, before: SagaState, event: SagaEvent, age: timedelta) -> None:
        """``age``: since the saga was started, without the time in which a step waited."""
        ...
