"""A consumer of a persistent subscription that a test can ask for what it received."""

from collections.abc import Iterable
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Literal, Self

from esdbclient import EventStoreDBClient
from esdbclient.events import RecordedEvent

from waiting import PATIENCE


class Consumer:
    """Receives in a thread of its own; acknowledges only when told to."""

    def __init__(
        self, client: EventStoreDBClient, group: str, stream: str | None = None, *, slots: int = 50
    ) -> None:
        """``stream`` None is ``$all``. Acks go out at once."""
        if stream is None:
            self._subscription = client.read_subscription_to_all(
                group, event_buffer_size=slots, max_ack_delay=0.01, stopping_grace=0.02
            )
        else:
            self._subscription = client.read_subscription_to_stream(
                group, stream, event_buffer_size=slots, max_ack_delay=0.01, stopping_grace=0.02
            )
        self._received: SimpleQueue[RecordedEvent | BaseException] = SimpleQueue()
        Thread(target=self._receive, daemon=True).start()

    def take(self, count: int) -> list[RecordedEvent]:
        """The next ``count`` events. Raises what ended the subscription before."""
        return [self._next() for _ in range(count)]

    def take_data(self, count: int) -> list[bytes]:
        return [event.data for event in self.take(count)]

    def take_and_ack(self) -> RecordedEvent:
        (event,) = self.take(1)
        self.ack([event])
        return event

    def ended_by(self) -> BaseException:
        """What ended the subscription; events that came before are passed over."""
        while True:
            item = self._received.get(timeout=PATIENCE)
            if isinstance(item, BaseException):
                return item

    @property
    def waiting(self) -> int:
        """Events received and not taken."""
        return self._received.qsize()

    def ack(self, events: Iterable[RecordedEvent]) -> None:
        for event in events:
            self._subscription.ack(event)

    def nack(
        self,
        events: Iterable[RecordedEvent],
        action: Literal["unknown", "park", "retry", "skip", "stop"],
    ) -> None:
        for event in events:
            self._subscription.nack(event, action)

    def stop(self) -> None:
        self._subscription.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _next(self) -> RecordedEvent:
        item = self._received.get(timeout=PATIENCE)
        if isinstance(item, BaseException):
            raise item
        return item

    def _receive(self) -> None:
        try:
            for event in self._subscription:
                self._received.put(event)
        except BaseException as error:  # the test decides what it makes of it
            self._received.put(error)
