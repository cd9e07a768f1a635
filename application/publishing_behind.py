"""Events are translated while the transaction before them is on its way to the bus.

One transaction at a time. When one fails, all that was made after it is given up, and the forwarder
starts again at the position that the bus holds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from application.claim_check import claim, claim_all
from application.ending import end
from application.integration_events import Contract, Outgoing
from application.messages import RecordedEvent
from application.ports import (
    ForwarderStanding,
    LastEvent,
    PayloadStore,
    PayloadUnavailable,
    Progress,
    Publisher,
    RecordTooLarge,
    StoreUnavailable,
)
from application.projections.batching import Batch
from application.projections.status import Progressing

KEEP_POSITION: Final = timedelta(minutes=1)  # between transactions that only move the position
_LONGEST: Final = 2_000  # characters of the reason that the bus keeps
_AT_ONCE: Final = 100  # events, before other tasks get their turn


async def as_it_is(outgoing: Outgoing) -> Outgoing:
    """For a service that publishes nothing personal."""
    return outgoing


class ForwardingFailed(Exception):
    """An event cannot be published. Everything before it is on the bus, nothing after it."""

    def __init__(self, recorded: RecordedEvent, cause: Exception) -> None:
        super().__init__(
            f"{recorded.type} {recorded.stream}@{recorded.version} ({recorded.id}, position "
            f"{recorded.position}) cannot be published: {type(cause).__name__}: {cause}"
        )


@dataclass(frozen=True)
class _Made:
    """What a batch of events came to: records with their events, and how far it goes."""

    records: Sequence[tuple[RecordedEvent, Outgoing]]
    position: int
    events: int
    failure: ForwardingFailed | None = None  # of the event after that position

    def up_to(self, refused: Outgoing, cause: Exception, before: int) -> "_Made":
        """Only what comes before the event of this record; ``before`` it all came that position."""
        recorded = next(event for event, outgoing in self.records if outgoing is refused)
        kept = [one for one in self.records if one[0].position < recorded.position]
        position = kept[-1][0].position if kept else before
        return _Made(kept, position, len(kept), ForwardingFailed(recorded, cause))


class PublishingBehind:
    """Use it as a context: in the end, nothing is on its way any more."""

    def __init__(
        self,
        publisher: Publisher,
        contract: Contract,
        payloads: PayloadStore | None,
        progress: Progressing,
        published: Callable[[int], None],
        *,
        holder: str,
        clock: Callable[[], datetime],
        sealed: Callable[[Outgoing], Awaitable[Outgoing]] = as_it_is,
    ) -> None:
        """``sealed`` encrypts what is personal in a record. ``published`` is called with the
        number of records of each transaction."""
        self._sealed = sealed
        self._publisher, self._contract, self._payloads = publisher, contract, payloads
        self._progress, self._published, self._clock = progress, published, clock
        self._standing = publisher.standing or ForwarderStanding(-1, None, 0, clock(), holder)
        self._standing = replace(self._standing, holder=holder)
        self._position = self._standing.position  # once what is on its way is on the bus
        self._on_its_way: asyncio.Task[None] | None = None
        self._live = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._on_its_way:
            await end([self._on_its_way])

    async def take(self, batch: Batch) -> None:
        """Publish what these events lead to, after all before them.

        Returns when it is on the bus, or, while more is waiting, on its way. Raises as
        ``Publisher.publish``, and :class:`ForwardingFailed`.
        """
        events = list(self._new(batch))
        made = await self._made(events, max(message.position for message in batch.messages))
        await self._arrived()
        if events and not self._is_kept(made):
            self._progress.took_in(made.events, made.position)
        self._position = made.position
        if self._is_kept(made):
            if events:
                self._progress.working_on(events[0].recorded_at)
            self._on_its_way = asyncio.create_task(self._publish(made))
            if not batch.behind or made.failure:
                await self._arrived()
        self._live = self._live or any(
            isinstance(message, Progress) and message.caught_up for message in batch.messages
        )
        if self._live and not batch.behind:
            self._progress.live()
        else:
            self._progress.behind()

    def _new(self, batch: Batch) -> Iterator[RecordedEvent]:
        for message in batch.messages:
            if isinstance(message, RecordedEvent) and message.position > self._position:
                yield message

    def _is_kept(self, made: _Made) -> bool:
        """Whether it is worth a transaction."""
        if made.records or made.failure or self._standing.failure:
            return True
        due = self._clock() >= self._standing.at + KEEP_POSITION
        return due and made.position > self._standing.position

    async def _made(self, events: Sequence[RecordedEvent], end: int) -> _Made:
        with suppress(PayloadUnavailable):  # of some event: found below
            events = await claim_all(events, self._payloads)
        records: list[tuple[RecordedEvent, Outgoing]] = []
        for number, recorded in enumerate(events):
            try:
                made = self._contract.outgoing(await claim(recorded, self._payloads))
                outgoing = [await self._sealed(one) for one in made]
            except StoreUnavailable:
                raise
            except Exception as error:  # a translation is the team's code
                before = events[number - 1].position if number else self._position
                return _Made(records, before, number, ForwardingFailed(recorded, error))
            records += [(recorded, one) for one in outgoing]
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        return _Made(records, max(end, self._position), len(events))

    async def _arrived(self) -> None:
        """Wait until nothing is on its way. Raises what kept it from arriving."""
        if self._on_its_way:
            task, self._on_its_way = self._on_its_way, None
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                await end([task])
                raise

    async def _publish(self, made: _Made) -> None:
        try:
            await self._write(made)
        except RecordTooLarge as error:
            made = made.up_to(error.outgoing, error, self._standing.position)
            await self._write(made)
        if made.failure:
            raise made.failure

    async def _write(self, made: _Made) -> None:
        last = made.records[-1][0] if made.records else None
        standing = replace(
            self._standing,
            position=made.position,
            last=LastEvent(last.stream, last.version, last.id) if last else self._standing.last,
            published=self._standing.published + len(made.records),
            at=self._clock(),
            failure=str(made.failure)[:_LONGEST] if made.failure else None,
        )
        if made.records or (standing.failure, standing.position) != (
            self._standing.failure,
            self._standing.position,
        ):
            await self._publisher.publish([outgoing for _, outgoing in made.records], standing)
            self._standing = standing
            self._published(len(made.records))
        self._progress.took_in(made.events, made.position)
