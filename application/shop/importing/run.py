"""Carries out an import: many commands at a time, those of one stream in their order.

An import can be stopped at any moment and repeated. A repeated command is recognised, so the result
is that of one clean run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from application.backoff import Backoff
from application.claim_check import EventTooLarge
from application.command_dispatch import CommandDispatch, CommandIdReused, TooMuchContention
from application.messages import UnreadableEvent
from application.ports import PayloadUnavailable, StoreUnavailable
from application.shop.importing.invoices import ImportStep
from application.shop.importing.plan import Plan, survey
from application.shop.importing.report import ImportTally, Rejected, Report, Unmatched
from application.shop.importing.rows import Source
from domain.decider import DomainError
from domain.orders import PlaceOrder, ReturnLines

WORKERS = 48
QUEUED = 4  # steps that wait for each worker: enough to keep it busy, with little memory
ATTEMPTS = 8  # with the pauses between them, more than a minute of a store that does not answer

_REFUSALS = (DomainError, CommandIdReused, EventTooLarge, PayloadUnavailable, UnreadableEvent)


class ImportStopped(Exception):
    """The store did not answer for too long. Running the import again imports the rest."""


class OrderRefused(DomainError):
    """The order of this step was refused."""


@dataclass(frozen=True)
class ImportProgress:
    """The lines of the file that are settled: their events are stored, or the reason is known."""

    settled: int
    lines: int


async def _at_once() -> None:
    """Nothing to wait for."""


_BACKOFF: Final = Backoff(0.5, most=20.0)


async def import_history(
    source: Source,
    dispatch: CommandDispatch,
    progress: Callable[[ImportProgress], None] = lambda _: None,
    *,
    workers: int = WORKERS,
    admitted: Callable[[], Awaitable[None]] = _at_once,
    pause: Callable[[int], Awaitable[None]] = _BACKOFF,
) -> Report:
    """Import the history, and return a report on every line.

    ``source`` is read twice. ``progress`` is called whenever lines are settled, first with none.
    ``admitted`` is awaited before each command: backpressure.
    ``pause(attempt)`` is awaited before a command is repeated that the store did not answer.
    Raises :class:`ImportStopped`, and what ``source`` raises.
    """
    surveyed = await asyncio.to_thread(survey, source)
    run = _Run(dispatch, surveyed.lines, progress, admitted, pause)
    try:
        await run.carry_out(Plan(surveyed).steps(source), workers)
    except ExceptionGroup as group:  # of the tasks: the first to fail stopped the others
        raise group.exceptions[0] from None
    return run.tally.report(surveyed.lines)


class _Run:
    def __init__(
        self,
        dispatch: CommandDispatch,
        lines: int,
        progress: Callable[[ImportProgress], None],
        admitted: Callable[[], Awaitable[None]],
        pause: Callable[[int], Awaitable[None]],
    ) -> None:
        self.tally = ImportTally()
        self._dispatch, self._lines, self._pause = dispatch, lines, pause
        self._progress, self._admitted = progress, admitted
        self._refused_orders: set[str] = set()

    async def carry_out(
        self, steps: Iterable[ImportStep | Unmatched | Rejected], workers: int
    ) -> None:
        """All steps of one stream go through one lane, so they keep their order."""
        lanes = [asyncio.Queue[ImportStep | None](QUEUED) for _ in range(workers)]
        self._report()
        async with asyncio.TaskGroup() as tasks:
            for lane in lanes:
                tasks.create_task(self._work(lane))
            for step in steps:
                if isinstance(step, ImportStep):
                    await lanes[
                        crc32(f"{type(step.command).__module__} {step.id}".encode()) % workers
                    ].put(step)
                else:
                    self._leave_out([step])
                    await asyncio.sleep(0)  # lets other tasks run, also in a file of faults
            for lane in lanes:
                await lane.put(None)

    async def _work(self, lane: asyncio.Queue[ImportStep | None]) -> None:
        while step := await lane.get():
            try:
                await self._send(step)
            except _REFUSALS as refusal:
                if isinstance(step.command, PlaceOrder):
                    self._refused_orders.add(step.id)
                self._leave_out(step.refused(refusal))
            else:
                self.tally.carried_out(step.command, len(step.lines), step.value)
                self._report()

    async def _send(self, step: ImportStep) -> None:
        new = isinstance(step.command, PlaceOrder)
        if isinstance(step.command, ReturnLines) and step.id in self._refused_orders:
            raise OrderRefused(f"order {step.id} was not imported")
        unavailable: Exception | None = None
        await self._admitted()
        for attempt in range(ATTEMPTS):
            try:
                await self._dispatch(step.id, step.command, step.context, new=new)
                return
            except (StoreUnavailable, TooMuchContention) as error:
                unavailable = error
                await self._pause(attempt)
        raise ImportStopped(
            f"the store does not answer ({unavailable}); {self.tally.settled:,} of "
            f"{self._lines:,} lines are settled. Run the same import again: what is stored "
            "stays, the rest follows"
        )

    def _leave_out(self, findings: Iterable[Unmatched | Rejected]) -> None:
        for finding in findings:
            self.tally.left_out(finding)
        self._report()

    def _report(self) -> None:
        self._progress(ImportProgress(self.tally.settled, self._lines))
