"""The system projections at work: every event linked into streams of its category, its type, …

They work in the background, hundreds of events a commit. Links and checkpoints are one commit, so
each event is linked exactly once, in the order of the log, whatever happens between.
"""

import asyncio
import json
import logging
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID

from infrastructure.embedded.eventstoredb.errors import EXPECT_ANY, StreamDeleted
from infrastructure.embedded.eventstoredb.projections.definitions import Definition, Faulted
from infrastructure.embedded.eventstoredb.projections.effects import claim
from infrastructure.embedded.eventstoredb.projections.link_rules import Rule, Target, rule_of
from infrastructure.embedded.eventstoredb.projections.positions import described, stamp
from infrastructure.embedded.eventstoredb.projections.statistics import Phase, Statistics
from infrastructure.embedded.eventstoredb.storage import Linkable, NewRecord, Storage, Transaction
from infrastructure.embedded.eventstoredb.streams import append

_STANDARD: Final = "native:EventStore.Projections.Core.Standard"
_BY_FIRST_DASH: Final = "first\r\n-"
_SYSTEM: Final = (
    Definition("$streams", f"{_STANDARD}.IndexStreams"),
    Definition("$stream_by_category", f"{_STANDARD}.CategorizeStreamByPath", _BY_FIRST_DASH),
    Definition("$by_category", f"{_STANDARD}.CategorizeEventsByStreamPath", _BY_FIRST_DASH),
    Definition("$by_event_type", f"{_STANDARD}.IndexEventsByEventType"),
    Definition(
        "$by_correlation_id",
        f"{_STANDARD}.ByCorrelationId",
        '{"correlationIdProperty":"$correlationId"}',
    ),
)
_STARTED: Final = ("$by_category", "$by_event_type")
_TYPE_INDEX: Final = "$et"

_BATCH: Final = 256
_CHECKPOINT: Final = 4_000  # events between two checkpoints that $by_event_type tells of
_REST: Final = 3.0
"""How much longer than a batch the rest after it is: links may come late, appends may not."""
_log = logging.getLogger(__name__)


def system_definitions(*, started: bool) -> list[Definition]:
    """Those of a new log. Two of them run if any do: each link costs a write."""
    return [
        replace(definition, enabled=started and definition.name in _STARTED, emit_enabled=True)
        for definition in _SYSTEM
    ]


class SystemProjection:
    """One projection: its rule, how far it is, whether it runs."""

    has_state = True
    can_be_deleted = False

    def __init__(self, engine: "SystemProjections", definition: Definition) -> None:
        self.definition = definition
        self.phase = Phase.STOPPED
        self.fault = ""
        self.checkpoint = -1
        self.processed = 0
        self.working_time = 0.0
        self._engine = engine
        self._rule: Rule

    @property
    def is_running(self) -> bool:
        return self.phase is Phase.RUNNING

    @property
    def status(self) -> str:
        """The server's words for it."""
        at_rest = self.phase in (Phase.STOPPED, Phase.FAULTED)
        enabled = at_rest and self.definition.enabled
        return f"{self.phase.value} (Enabled)" if enabled else self.phase.value

    @property
    def checkpoint_key(self) -> str:
        return f"projection {self.definition.name} checkpoint"

    def state(self, _: str) -> tuple[str, str]:
        """It has none."""
        return "", ""

    async def halt(self, *, abort: bool = False) -> None:
        """Stop, after the batch that is being written."""
        async with self._engine.between_batches:
            if not abort:
                self.phase = Phase.STOPPED
            elif self.is_running:
                self.phase = Phase.ABORTED

    async def reload(self, definition: Definition, *, running: bool = True) -> None:
        """Go on by this definition; ``running`` False: once it is enabled."""
        self.definition, self.fault, self.processed = definition, "", 0
        self.checkpoint = self._engine.stored_checkpoint(self)
        try:
            self._rule = rule_of(definition.name, definition.query)
        except ValueError as error:
            self.phase, self.fault = Phase.FAULTED, str(error)
            return
        self.phase = Phase.RUNNING if running and definition.enabled else Phase.STOPPED
        self._engine.wake()

    def forget(self, transaction: Transaction) -> None:
        """Begin anew at the next ``reload``."""
        transaction.delete_state(self.checkpoint_key)

    def statistics(self) -> Statistics:
        definition = self.definition
        return Statistics(
            definition.name,
            self.status,
            self.fault,
            version=definition.version,
            epoch=definition.epoch,
            position=described(self.checkpoint),
            last_checkpoint=described(self.checkpoint),
            progress=self._engine.progress(self.checkpoint),
            events_processed=self.processed,
            working_time=self.working_time,
        )

    def links(self, sources: list[Linkable]) -> dict[str, list[NewRecord]]:
        """What it writes for those of the sources that it has not had yet, by stream."""
        links: dict[str, list[NewRecord]] = defaultdict(list)
        if self._tells_checkpoint(len(sources)):
            links[_TYPE_INDEX].append(self._told_checkpoint())
        for source in sources:
            if source.position > self.checkpoint and (target := self._rule(source)):
                links[target.stream].append(self._link(source, target))
        return links

    def _link(self, source: Linkable, target: Target) -> NewRecord:
        metadata: dict[str, str | int] = {
            "$v": self.definition.stamp,
            "$c": source.position,
            "$p": source.position,
            **target.added,
            "$causedBy": str(UUID(bytes=source.id)),
        }
        if source.correlation_id is not None:
            metadata["$correlationId"] = source.correlation_id
        return NewRecord(target.type, target.data.encode(), json.dumps(metadata).encode())

    def _tells_checkpoint(self, coming: int) -> bool:
        """``$et`` has an entry where it begins after each start, and every few thousand events."""
        if self.definition.name != "$by_event_type":
            return False
        before, after = self.processed, self.processed + coming
        return before == 0 or before // _CHECKPOINT < after // _CHECKPOINT

    def _told_checkpoint(self) -> NewRecord:
        position = stamp(self.checkpoint)
        metadata = {"$v": self.definition.stamp, **position}
        data = json.dumps(position).encode()
        return NewRecord("$Checkpoint", data, json.dumps(metadata).encode(), is_json=True)


class SystemProjections:
    """All of them. They share each batch, and rest between two while others write."""

    def __init__(self, storage: Storage) -> None:
        self.between_batches = asyncio.Lock()
        self._projections: list[SystemProjection] = []
        self._storage = storage
        self._woken = asyncio.Event()
        self._own_end = -1  # of the log, after the last batch
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Work in the background from now on."""
        self._tasks = [asyncio.create_task(self._follow_log()), asyncio.create_task(self._work())]

    async def stop(self) -> None:
        """Ends the work. What a commit has not taken is taken after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def add(self, definition: Definition, *, running: bool) -> SystemProjection:
        """One of them, from its checkpoint on."""
        projection = SystemProjection(self, definition)
        await projection.reload(definition, running=running)
        self._projections.append(projection)
        return projection

    def wake(self) -> None:
        self._woken.set()

    def stored_checkpoint(self, projection: SystemProjection) -> int:
        return int(self._storage.state(projection.checkpoint_key) or -1)

    def progress(self, checkpoint: int) -> float:
        """How much of the log is behind that position, in per cent."""
        behind = self._storage.last_position - checkpoint
        return 100 * (1 - behind / (self._storage.last_position + 1))

    async def _follow_log(self) -> None:
        position = -1
        while True:
            position = await self._storage.beyond(position)
            self._woken.set()

    async def _work(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            running = [p for p in self._projections if p.is_running]
            try:
                if running and await self._advance(running):
                    self._woken.set()
            except Exception as error:  # whatever it is: say so, and stay at the checkpoints
                _log.exception("system projections failed")
                for projection in running:
                    projection.phase, projection.fault = Phase.FAULTED, str(error)

    async def _advance(self, running: list[SystemProjection]) -> bool:
        """Links a batch. False when there was nothing to link."""
        async with self.between_batches:
            running = [projection for projection in running if projection.is_running]
            end, began = self._storage.last_position, time.monotonic()
            if not running or not await self._link_next(running, end):
                return False
            worked = time.monotonic() - began
            for projection in running:
                projection.working_time += worked
        others_write = end > self._own_end
        self._own_end = self._storage.last_position
        await asyncio.sleep(_REST * worked if others_write else 0)
        return True

    async def _link_next(self, running: list[SystemProjection], end: int) -> bool:
        after = min(projection.checkpoint for projection in running)
        if not self._storage.read_linkable(after, 1):
            for projection in running:  # links only: not worth a commit
                projection.checkpoint = max(projection.checkpoint, end)
            return False
        checkpoint, taken = await self._storage.write_in_time(
            lambda t: _link_batch(t, after, running)
        )
        for projection in running:
            projection.processed += sum(p > projection.checkpoint for p in taken)
            projection.checkpoint = max(projection.checkpoint, checkpoint)
        return True


def _link_batch(
    transaction: Transaction, after: int, running: list[SystemProjection]
) -> tuple[int, list[int]]:
    """Writes the links of one batch with the checkpoints. The checkpoint, and what was taken."""
    sources = transaction.read_linkable(after, _BATCH)
    full = len(sources) == _BATCH
    checkpoint = sources[-1].position if full else transaction.last_position
    for projection in running:
        for stream, links in projection.links(sources).items():
            with suppress(Faulted):  # others may write there, too
                claim(transaction, projection.definition, stream)
            with suppress(StreamDeleted):  # somebody does not want that stream, for good
                append(transaction, stream, EXPECT_ANY, links)
        value = str(max(projection.checkpoint, checkpoint)).encode()
        transaction.set_state(projection.checkpoint_key, value)
    return checkpoint, [source.position for source in sources]
