"""Records of other parties' topics, shared among the processes that receive them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Headers = Sequence[tuple[str, bytes | None]]
"""In the order of the record. A name may stand there several times."""


@dataclass(frozen=True)
class BusRecord:
    """A record as the bus holds it. ``offset`` orders the records of one partition."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: datetime | None = None


class Arrival(Protocol):
    """One record handed to one consumer. Settle it exactly once: ``done`` or ``drop``."""

    @property
    def record(self) -> BusRecord: ...

    @property
    def deaths(self) -> int:
        """How many consumers have died while they had it, and no other record, in hand."""
        ...

    @property
    def lost(self) -> bool:
        """Whether its partition is to go to another consumer: begin no more work on it."""
        ...

    def done(self) -> None:
        """It has been handled, durably. Once all before it are done, it does not come back."""
        ...

    def drop(self) -> None:
        """It has not been handled: it comes again, here or elsewhere."""
        ...


@dataclass(frozen=True)
class TopicLag:
    """What the partitions of one consumer lack. ``None``: not known."""

    records: int | None
    """The number of records that are not done."""
    seconds: float | None
    """The age of the oldest of them that has been fetched; 0 when there is none."""


class Arrivals(Protocol):
    """The records for one consumer: those of a partition in order, each at least once."""

    def __aiter__(self) -> AsyncIterator[Arrival]: ...

    async def __anext__(self) -> Arrival:
        """Raises ``BusUnavailable`` for an error that a new connection may mend."""
        ...

    @property
    def fault(self) -> str | None:
        """What keeps records from it now, such as a broker that does not answer."""
        ...

    def lags(self) -> Mapping[str, TopicLag]:
        """By topic, for the partitions that this consumer has."""
        ...


class IncomingRecords(Protocol):
    """Topics that are read by groups: the bus keeps how far each group has come."""

    def consume(
        self, group: str, topics: Sequence[str], *, buffer: int = 100
    ) -> AbstractAsyncContextManager[Arrivals]:
        """The records of these topics, from the oldest that the group has not done, for ever.

        Consumers of one group share the partitions. At most ``buffer`` records of each partition
        are unsettled at a time; meanwhile others go on. A partition that goes to another consumer
        goes there once its records are settled, or after a few seconds.

        A consumer that dies may have died of a record. So those that it had are handed out one by
        one after that, and one that is alone then, and of which more consumers die, has ``deaths``.

        Only records of committed transactions are handed out. Raises ``BusUnavailable``.
        """
        ...
