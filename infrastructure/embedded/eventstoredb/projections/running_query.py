"""A query at work: reads a batch, has its script handle it, writes what that changed."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from infrastructure.embedded.eventstoredb.projections.definitions import Definition, Faulted
from infrastructure.embedded.eventstoredb.projections.effects import (
    Effect,
    stored_position,
    stored_state,
    write_effects,
)
from infrastructure.embedded.eventstoredb.projections.positions import (
    Position,
    described,
    restored,
)
from infrastructure.embedded.eventstoredb.projections.script import Script, ScriptFailed
from infrastructure.embedded.eventstoredb.projections.sources import (
    Happening,
    Source,
    source_of,
)
from infrastructure.embedded.eventstoredb.projections.statistics import Phase
from infrastructure.embedded.eventstoredb.storage import (
    Storage,
    StorageUnavailable,
    Transaction,
)

_EMIT_REFUSED: Final = "'emit' is not allowed by the projection/configuration/mode"
_HANDLER: Final = "EventStore.Projections.Core.Services.Interpreted.JintProjectionStateHandler"
_FAR: Final = 10_000_000  # positions without a batch that are worth a checkpoint, as on the server

_log = logging.getLogger(__name__)


class RunningQuery:
    """A query that has been understood. It runs from ``start`` to ``stop``, or to its fault."""

    def __init__(self, storage: Storage, definition: Definition, script: Script) -> None:
        """Raises Faulted when it contradicts itself, or cannot go on where it was."""
        self.phase = Phase.STOPPED
        self.processed = 0
        self.working_time = 0.0
        self.query: dict[str, Any] = script.definition
        self.source: Source = source_of(self.query)
        stored = stored_position(storage, definition)
        self.position: Position = restored(stored, self.source.zero)
        self.checkpoint = self.position
        self._storage = storage
        self._definition = definition
        self._script = script
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[None] | None = None

    @classmethod
    async def prepared(cls, storage: Storage, definition: Definition) -> "RunningQuery":
        """Compile it. Raises Faulted."""
        script = await Script.started(definition.query)
        try:
            return cls(storage, definition, script)
        except Faulted:
            await script.stop()
            raise

    def start(self, faulted: Callable[[str], None]) -> None:
        """Run in the background; ``faulted`` is told what ended it."""
        self.phase = Phase.RUNNING
        self._task = asyncio.create_task(self._run(faulted))

    async def stop(self) -> None:
        """End it. A batch that is being written stays whole."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._writing is not None:  # what has been handed in will be written
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._script.stop()
        if self.phase is Phase.RUNNING:
            self.phase = Phase.STOPPED

    async def _run(self, faulted: Callable[[str], None]) -> None:
        try:
            while True:
                await self._advance()
        except (Faulted, StorageUnavailable) as fault:
            reason = str(fault)
        except Exception as error:  # whatever it is: say so, and stay at the checkpoint
            _log.exception("projection %s failed", self._definition.name)
            reason = str(error)
        self.phase = Phase.FAULTED
        await self._script.stop()
        faulted(reason)

    async def _advance(self) -> None:
        end = self._storage.last_position
        page = self.source.read(self._storage, self.position)
        if page.happenings:
            began = time.monotonic()
            await self._handle(page.happenings, page.position)
            self.working_time += time.monotonic() - began
            return
        await self._skip_to(page.position)
        if page.is_end:
            await self._storage.beyond(end)
        else:
            await asyncio.sleep(0)  # a long way through what it does not want: others may go on

    async def _skip_to(self, position: Position) -> None:
        self.position = position
        behind = self.checkpoint
        if isinstance(position, int) and isinstance(behind, int) and position - behind > _FAR:
            await self._write([], position)

    async def _handle(self, happenings: list[Happening], position: Position) -> None:
        """Have a batch handled and its effects written, up to what fails. Raises Faulted."""
        try:
            answer = await self._script.handle(
                [happening.told for happening in happenings],
                lambda partition: stored_state(self._storage, self._definition, partition),
            )
        except ScriptFailed as died:
            await self._handle_singly(happenings, position, str(died))
            return
        effects, failure = self._permitted(list(zip(happenings, answer.outcomes, strict=False)))
        if answer.failure is not None and failure is None:
            failure = self._reason(happenings[len(answer.outcomes)], answer.failure)
        if failure is None:
            await self._write(effects, position)
            return
        if effects:
            await self._write(effects, effects[-1][0].position)
        raise Faulted(failure)

    async def _handle_singly(
        self, happenings: list[Happening], position: Position, failure: str
    ) -> None:
        """The script has died of one of these, and taken with it what it made of the others."""
        if len(happenings) == 1:
            raise Faulted(self._reason(happenings[0], failure))
        self._script = await Script.started(self._definition.query)
        for happening in happenings:
            await self._handle([happening], happening.position)
        self.position = position

    def _permitted(
        self, outcomes: list[tuple[Happening, dict[str, Any] | None]]
    ) -> tuple[list[Effect], str | None]:
        """What may be written, and why no more than that."""
        effects: list[Effect] = []
        for happening, changes in outcomes:
            if changes is None:  # in no partition
                continue
            for line in changes["logged"]:
                _log.debug("projection %s: %s", self._definition.name, line)
            if changes["emitted"] and not self._definition.emit_enabled:
                return effects, _EMIT_REFUSED
            effects.append((happening, changes))
        return effects, None

    async def _write(self, effects: list[Effect], position: Position) -> None:
        definition, query = self._definition, self.query

        def write(transaction: Transaction) -> None:
            write_effects(transaction, definition, query, effects, position)

        writing = self._storage.write_in_time(write, lambda: self._stopping)
        self._writing = asyncio.ensure_future(writing)
        await asyncio.shield(self._writing)
        self.processed += len(effects)
        self.position = self.checkpoint = position

    def _reason(self, happening: Happening, failure: str) -> str:
        return (
            f"The {self._definition.name} projection failed to process an event.\r\n"
            f"Handler: {_HANDLER}\r\nEvent Position: {described(happening.position)}"
            f"\r\n\r\nMessage:\r\n\r\n{failure}"
        )
