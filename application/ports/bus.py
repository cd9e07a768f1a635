"""A bus: ordered topics for other systems, and a publisher whose position is kept on the bus."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.integration_events import Outgoing
from application.ports.unavailable import StoreUnavailable


class BusUnavailable(StoreUnavailable):
    """The bus does not answer, or a topic is missing. Try again later."""


class Fenced(Exception):
    """Another publisher was opened since, so this one cannot publish any more."""


class PositionLost(Exception):
    """The topics hold records, but the bus keeps no position: publishing would repeat them."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"the topics hold records, but {where} holds no position, so publishing would repeat "
            "them all: `bus replay --from …` sets one"
        )


class RecordTooLarge(Exception):
    """A record is larger than its topic allows. Nothing of its batch was published."""

    def __init__(self, outgoing: Outgoing, size: int, limit: int, topic: str) -> None:
        super().__init__(
            f"{outgoing.event.type} of {outgoing.key} has {size:,} bytes, and {topic} "
            f"takes {limit:,}: raise max.message.bytes of that topic, or publish less of it"
        )
        self.outgoing = outgoing


@dataclass(frozen=True)
class LastEvent:
    """The event that was published last, by which its log can be recognised."""

    stream: str
    version: int
    id: UUID


@dataclass(frozen=True)
class ForwarderStanding:
    """How far a service's events are on the bus, as the bus itself keeps it."""

    position: int  # all events up to here that are to be published are on the bus
    last: LastEvent | None
    published: int  # records, since the first
    at: datetime  # when this was written
    holder: str  # by which process
    failure: str | None = None  # the event that cannot be published, and why


@dataclass(frozen=True)
class Sought:
    """A record that may be on the bus."""

    topic: str
    id: str  # of its CloudEvent, as the type
    type: str
    since: datetime  # it was not published before that

    @property
    def name(self) -> tuple[str, str, str]:
        """The same for all repetitions of the record, and for no other one."""
        return self.topic, self.id, self.type


@dataclass(frozen=True)
class TopicStanding:
    """A topic as the broker has it; ``None`` is unknown."""

    name: str
    exists: bool
    partitions: int | None = None
    replication: int | None = None
    retention_seconds: float | None = None  # None also where nothing is ever deleted
    largest_record: int | None = None  # bytes


class Publisher(Protocol):
    """The right to publish for a service. Only the one that was opened last has it."""

    @property
    def standing(self) -> ForwarderStanding | None:
        """What the bus holds. ``None``: nothing was ever published."""
        ...

    async def publish(self, batch: Sequence[Outgoing], standing: ForwarderStanding) -> None:
        """Publish the batch and the standing together, or nothing, also over a crash.

        Readers that read only what is committed see each record once, those of one key in order.
        Raises :class:`RecordTooLarge`. Raises :class:`Fenced` and :class:`BusUnavailable`, and is
        of no use after that: the next publisher's standing shows whether the batch was published.
        """
        ...


class Bus(Protocol):
    """The topics of one service. All methods raise :class:`BusUnavailable`."""

    def publisher(self) -> AbstractAsyncContextManager[Publisher]:
        """Open a publisher. One that was opened before, in any process, is fenced.

        Raises :class:`PositionLost`, and :class:`BusUnavailable` also for a missing topic.
        """
        ...

    async def standing(self) -> ForwarderStanding | None:
        """What the bus holds now. Disturbs no publisher."""
        ...

    async def move(self, standing: ForwarderStanding) -> None:
        """Let the next publisher go on from this standing. One that is open is fenced.

        Works where the position is lost, too. Raises :class:`Fenced` when others are opened all
        the time.
        """
        ...

    async def published_at(self, sought: Sequence[Sought]) -> Sequence[datetime | None]:
        """When each of these was published, by the time that the bus keeps with a record.

        ``None``: the bus has no such record any more, or it was not found in a few seconds.
        """
        ...

    async def topics(self) -> Sequence[TopicStanding]:
        """The topics that the service needs, as they are."""
        ...

    async def create_topics(
        self, partitions: int | None = None, replication: int | None = None
    ) -> Sequence[str]:
        """Create the topics that are missing: as the bus has it by default, unless numbers are
        given. Returns their names."""
        ...
