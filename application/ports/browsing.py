"""Looking around in the event store: for people, in pages and on the command line.

Pages go on from a *place*, an opaque text that a page names as ``reached``. Events that are
appended meanwhile shift nothing: the next page begins exactly there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from application.messages import RecordedEvent
from application.ports.views import Total

T = TypeVar("T")
LARGEST_BROWSED: Final = 500
"""Items on a page, at most."""


@dataclass(frozen=True)
class Wanted:
    """Events with all that is given here; without anything, all of the store but its own records.

    The events of one stream are read by :meth:`EventBrowser.stream`.
    """

    category: str | None = None
    type: str | None = None
    correlation_id: str | None = None
    near: int | None = None
    """No condition: the position of one of them. A store without an index of correlations looks
    around there, oldest first."""

    def admits(self, event: RecordedEvent) -> bool:
        """Whether it has all of it."""
        category, dash, _ = event.stream.partition("-")
        return (
            (self.category is None or (bool(dash) and category == self.category))
            and (self.type is None or event.type == self.type)
            and (self.correlation_id is None or event.correlation_id == self.correlation_id)
        )


@dataclass(frozen=True)
class Reading:
    """Which page: the one after ``after`` in the order that ``newest_first`` says.

    ``after``: the ``reached`` or ``begins`` of another page, in either order; ``None``: the first
    page. ``ValueError`` for a limit that is not 1 to 500.
    """

    newest_first: bool = True
    after: str | None = None
    limit: int = 50

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= LARGEST_BROWSED:
            raise ValueError(f"limit is {self.limit}, it has to be 1 to {LARGEST_BROWSED}")


NEWEST: Final = Reading()
"""The first page, newest first."""


@dataclass(frozen=True)
class Incomplete:
    """Why an answer may lack something."""

    source: str
    """What it came from, as the store calls it: ``$by_category``."""
    why: str
    """In a sentence's second half: ``is 12 s behind``."""
    remedy: str
    """What would help, as a sentence."""
    seconds: float | None = None
    """How far it is behind; ``None`` where that is not the reason, or not known."""

    def __str__(self) -> str:
        return f"{self.source} {self.why}. {self.remedy}"


@dataclass(frozen=True)
class Found(Generic[T]):
    """One page, in the order that was asked for.

    A store that has to look through events to find these looks through a limited number for each
    page. So a page may have few items, or none, and not be the last one: ``more`` says that.
    """

    items: Sequence[T]
    begins: str | None = None
    """The place of the first item; reading the other way after it gives the page before."""
    reached: str | None = None
    """The place up to which this page has looked; ``None`` where there is nothing at all."""
    more: bool = False
    """Whether there may be more after ``reached``."""
    lacks: Sequence[Incomplete] = ()
    """Why something may be missing; empty where all is there."""
    total: Total | None = None
    """How many there are on all pages; where the store would have to read them all, a bound:
    what this page shows of it. ``None``: not even that is known."""


@dataclass(frozen=True)
class StreamSeen:
    """A stream, and the last event in it; ``None`` where all of its events are deleted."""

    name: str
    last: RecordedEvent | None


class EventBrowser(Protocol):
    """Finds streams and events. Each page costs the store a limited amount of work.

    Events come as they are stored: reading one with data that this release cannot read, or that
    another system wrote, is no error here. Every method raises :class:`StoreUnavailable`, and
    ``ValueError`` for a place that no page has named.
    """

    async def events(self, wanted: Wanted, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        """Events of all streams, in the order of their positions."""
        ...

    async def stream(self, name: str, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        """The events of one stream; ``lacks`` says where versions are missing.

        A place is the version of an event, so ``Reading(after="4")`` goes on behind version 4.
        """
        ...

    async def event(self, id: UUID) -> Found[RecordedEvent]:
        """The event with that id: one item, or none.

        Where a store has no index of ids, it looks through its newest events, and ``lacks`` says
        how many.
        """
        ...

    async def streams(
        self, category: str | None = None, prefix: str = "", reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        """Streams whose names begin with ``prefix``, in the order of their first events."""
        ...

    async def changed(
        self, category: str | None = None, reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        """Streams in the order of their last events.

        One that changes meanwhile is at the beginning again, and on no later page.
        """
        ...
