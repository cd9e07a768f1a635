"""Which sagas of one name an event of the service is about, and how it starts one."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import EventStore
from application.retrying import NotHere
from application.sagas.saga import Saga

SIGNALS: Final = ("SagaWoken", "SagaRetried", "CompensationOrdered")
"""Events in a saga's own stream that make it move; others than the engine append them."""


class Addressing:
    """The events that concern sagas of one name, in any version that was ever released."""

    def __init__(self, versions: Sequence[Saga[Any]], own: EventFilter) -> None:
        """``versions``: the newest last. ``own``: all events of the service."""
        self._versions, self._own = {saga.version: saga for saga in versions}, own
        self.newest = versions[-1]
        self.awaited = frozenset[str]().union(*(saga.awaited for saga in versions))

    @property
    def events(self) -> EventFilter:
        """The events that an engine handles."""
        cancels = {saga.cancels.__name__ for saga in self._versions.values()}
        abroad = self._own.of_types({self.newest.starts.__name__, *cancels, *self.awaited})
        return abroad | EventFilter.of(self.newest.name, *SIGNALS)

    def definition(self, version: int) -> Saga[Any]:
        """Raises :class:`NotHere` for one of a newer release."""
        if version not in self._versions:
            raise NotHere(f"version {version} of {self.newest.name} is of a newer release")
        return self._versions[version]

    def starts(self, recorded: RecordedEvent) -> bool:
        """Whether it is of the type that starts a saga."""
        return recorded.type == self.newest.starts.__name__

    def about(self, recorded: RecordedEvent) -> Collection[str]:
        """The ids of the sagas that it is about: of its aggregate, or of those that wait for it."""
        if recorded.type not in self.awaited:
            return (recorded.stream_id,)
        ids = {
            wait.saga_id(recorded)
            for saga in self._versions.values()
            for _, wait in saga.waits
            if wait.event is not None and wait.event.__name__ == recorded.type
        }
        return sorted(id for id in ids if id is not None)

    async def beginning(
        self, id: str, recorded: RecordedEvent, store: EventStore
    ) -> RecordedEvent | None:
        """The event that starts the saga of this id, also where a later one comes first."""
        if self.starts(recorded):
            return recorded
        (category,) = self._own.of_types([self.newest.starts.__name__]).categories
        past = store.read(f"{category}-{id}", limit=1)
        return next(iter([event async for event in past]), None)
