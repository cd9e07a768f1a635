"""Runs a query: reads a batch, has its script handle it, writes the changes."""

import asyncio
import logging
import time
from typing import Any, Final, Protocol

from embedded_eventstoredb.projections.claims import EMIT_REFUSED
from embedded_eventstoredb.projections.definitions import Definition, Faulted
from embedded_eventstoredb.projections.effects import (
    Effect,
    stored_position,
    stored_state,
    write_effects,
    write_results,
)
from embedded_eventstoredb.projections.positions import (
    Position,
    described,
    restored,
)
from embedded_eventstoredb.projections.script import Script, ScriptFailed
from embedded_eventstoredb.projections.sources import (
    HandlerInput,
    Source,
    source_of,
)
from embedded_eventstoredb.projections.statistics import Phase
from embedded_eventstoredb.storage import (
    Storage,
    StorageUnavailable,
    Transaction,
)

_HANDLER: Final = "EventStore.Projections.Core.Services.Interpreted.JintProjectionStateHandler"
_EMITTED_AFTER: Final = 0.003  # seconds after the state that counts it, as on the server
_FAR: Final = 10_000_000  # positions without a batch that are worth a checkpoint, as on the server

_log = logging.getLogger(__name__)


class Owner(Protocol):
    """The projection that runs a query."""

    def worked(self) -> None:
        """The query has made progress."""
        ...

    def completed(self) -> None:
        """The query has read everything and is over."""
        ...

    def failed(self, reason: str) -> None:
        """The query cannot continue."""
        ...


class RunningQuery:
    """A compiled query. It runs from ``start`` until ``stop``, its end or a fault."""

    def __init__(self, storage: Storage, definition: Definition, script: Script) -> None:
        """Raises Faulted if the query contradicts itself, or cannot continue at its position."""
        self.phase = Phase.STOPPED
        self.is_over = False
        self.processed = 0
        self.working_time = 0.0
        self.query: dict[str, Any] = script.definition
        self.source: Source = source_of(self.query)
        stored = None if definition.ends else stored_position(storage, definition)
        self.position: Position = restored(stored, self.source.zero)
        self.checkpoint = self.position
        self._storage = storage
        self._definition = definition
        self._script = script
        self._begun = False
        self._stopping = False
        self._fresh: dict[str, list[str | None]] = {}  # states that are still being written
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[None] | None = None

    @property
    def progress(self) -> float:
        """How much of the source has been read, in per cent; -1 before it has begun."""
        if self.is_over:
            return 100.0
        return self.source.progress(self._storage, self.position) if self._begun else -1.0

    @classmethod
    async def prepared(cls, storage: Storage, definition: Definition) -> "RunningQuery":
        """Compile it. Raises Faulted."""
        script = await Script.started(definition.query)
        try:
            return cls(storage, definition, script)
        except Faulted:
            await script.stop()
            raise

    def start(self, owner: Owner) -> None:
        """Run in the background."""
        self.phase = Phase.RUNNING
        self._task = asyncio.create_task(self._run(owner))

    def state(self, partition: str) -> list[str | None]:
        """State and result of a partition; they are visible a moment before they are written."""
        fresh = self._fresh.get(partition)
        return fresh or stored_state(self._storage, self._definition, partition)

    async def stop(self) -> None:
        """End it. A batch that is being written is completed."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._writing is not None:  # what has been handed in will be written
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._script.stop()
        if self.phase is Phase.RUNNING:
            self.phase = Phase.STOPPED

    async def _run(self, owner: Owner) -> None:
        try:
            await self._go_through(owner)
            self.phase, self.is_over = Phase.STOPPED, True
            owner.completed()
        except (Faulted, StorageUnavailable) as fault:
            self.phase = Phase.FAULTED
            owner.failed(str(fault))
        except Exception as error:  # any error: report it, and stay at the checkpoint
            _log.exception("projection %s failed", self._definition.name)
            self.phase = Phase.FAULTED
            owner.failed(str(error))
        await self._script.stop()

    async def _go_through(self, owner: Owner) -> None:
        """Handle all events, then new ones, unless the query ends there."""
        while True:
            end = self._storage.last_position
            is_end = await self._advance()
            self._begun = True
            owner.worked()
            if not is_end:
                await asyncio.sleep(0)  # many pages without an event for it: let other tasks run
            elif not self._definition.ends:
                await self._storage.beyond(end)
            else:
                break
        await self._storage.write_in_time(lambda t: write_results(t, self._definition))

    async def _advance(self) -> bool:
        """Handle one page. True at the end."""
        page = self.source.read(self._storage, self.position)
        if not page.inputs:
            await self._skip_to(page.position)
            return page.is_end
        began = time.monotonic()
        await self._handle(page.inputs, page.position)
        self.working_time += time.monotonic() - began
        return False

    async def _skip_to(self, position: Position) -> None:
        self.position = position
        behind = self.checkpoint
        if isinstance(position, int) and isinstance(behind, int) and position - behind > _FAR:
            await self._write([], position)

    async def _handle(self, inputs: list[HandlerInput], position: Position) -> None:
        """Have a batch handled and write its effects, up to the event that fails.

        Raises Faulted.
        """
        try:
            answer = await self._script.handle(
                [item.content for item in inputs],
                lambda partition: stored_state(self._storage, self._definition, partition),
            )
        except ScriptFailed as died:
            await self._handle_singly(inputs, position, str(died))
            return
        effects, failure = self._permitted(list(zip(inputs, answer.outcomes, strict=False)))
        if answer.failure is not None and failure is None:
            failure = self._reason(inputs[len(answer.outcomes)], answer.failure)
        rest = inputs[len(answer.outcomes) :]
        if failure is None and rest:
            await self._write(effects, inputs[len(answer.outcomes) - 1].position)
            await self._handle(rest, position)
            return
        if failure is None:
            await self._write(effects, position)
            return
        if effects:
            await self._write(effects, effects[-1][0].position)
        raise Faulted(failure)

    async def _handle_singly(
        self, inputs: list[HandlerInput], position: Position, failure: str
    ) -> None:
        """Handle each input alone: one of them killed the script, and with it the effects of the
        others.
        """
        if len(inputs) == 1:
            raise Faulted(self._reason(inputs[0], failure))
        self._script = await Script.started(self._definition.query)
        for item in inputs:
            await self._handle([item], item.position)
        self.position = position

    def _permitted(
        self, outcomes: list[tuple[HandlerInput, dict[str, Any] | None]]
    ) -> tuple[list[Effect], str | None]:
        """The effects that may be written, and why the others may not."""
        effects: list[Effect] = []
        for item, changes in outcomes:
            if changes is None:  # in no partition
                continue
            for line in changes["logged"]:
                _log.debug("projection %s: %s", self._definition.name, line)
            if changes["emitted"] and not self._definition.emit_enabled:
                return effects, EMIT_REFUSED
            effects.append((item, changes))
        return effects, None

    async def _write(self, effects: list[Effect], position: Position) -> None:
        self._writing = asyncio.ensure_future(self._commit(effects, position))
        await asyncio.shield(self._writing)
        self.processed += len(effects)
        self.position = self.checkpoint = position

    async def _commit(self, effects: list[Effect], position: Position) -> None:
        """Make the new states visible, and a moment later the emitted events."""
        definition, query = self._definition, self.query

        def write(transaction: Transaction) -> None:
            write_effects(transaction, definition, query, effects, position)

        for _, changes in effects:
            self._fresh.update(changes["states"])
        if any(changes["emitted"] for _, changes in effects):
            await asyncio.sleep(_EMITTED_AFTER)
        try:
            await self._storage.write_in_time(write, lambda: self._stopping)
        finally:
            self._fresh = {}

    def _reason(self, item: HandlerInput, failure: str) -> str:
        return (
            f"The {self._definition.name} projection failed to process an event.\r\n"
            f"Handler: {_HANDLER}\r\nEvent Position: {described(item.position)}"
            f"\r\n\r\nMessage:\r\n\r\n{failure}"
        )
