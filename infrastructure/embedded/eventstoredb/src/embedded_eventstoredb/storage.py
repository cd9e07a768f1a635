"""The log: every record once, in the order of its commit, on SQLite.

One thread writes. Appends that wait at the same time are committed together (group commit), each
with its own check and its own answer. No answer is given before its commit is on disk. Reads run on
the caller's thread, in pages. Only the newest events are kept in memory.
"""

import asyncio
import logging
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple, TypeVar

from embedded_eventstoredb.data_directory import DataDirectory, StorageUnavailable
from embedded_eventstoredb.immediate_future import ImmediateFuture
from embedded_eventstoredb.reading import PAGE, Reading
from embedded_eventstoredb.recent_records import RecentRecords
from embedded_eventstoredb.records import (
    MAX_VERSION,
    Appended,
    Linkable,
    NewRecord,
    Record,
    Stream,
    compact,
    id_text,
    parse_metadata,
    quoted,
)
from embedded_eventstoredb.replication import Replication
from embedded_eventstoredb.transaction import Changes, Transaction
from embedded_eventstoredb.writer_memory import WriterMemory

__all__ = [
    "MAX_VERSION",
    "PAGE",
    "Appended",
    "Linkable",
    "Log",
    "LogClosed",
    "NewRecord",
    "Reading",
    "Record",
    "Storage",
    "StorageUnavailable",
    "Stream",
    "Transaction",
    "compact",
    "id_text",
    "parse_metadata",
    "quoted",
]

_GROUP: Final = 512
_GATHERING: Final = 0.001  # seconds
_PASSING_COMMIT: Final = 0.001  # seconds
_TRY_AGAIN: Final = 0.5  # seconds
_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class _Job(NamedTuple):
    run: Callable[[Transaction], object]
    answer: "asyncio.Future[object]"
    committed: int
    """The end of the log on disk when the job was handed in."""


_Outcome = tuple["asyncio.Future[object]", object, Exception | None]


class LogClosed(Exception):
    """The member whose log is read is shutting down."""


class Log(Reading, ABC):
    """The growing log of one member."""

    @property
    @abstractmethod
    def last_position(self) -> int:
        """The position of the last record, -1 before there is one."""

    @abstractmethod
    async def beyond(self, position: int) -> int:
        """Wait until the log goes beyond ``position``. Returns the position of its last record.

        Raises LogClosed if the member shuts down.
        """


class Storage(Log):
    """The node's log. Must be opened, read and closed on the event loop's thread."""

    def __init__(self, data_dir: Path | None = None) -> None:
        """Open the log in a directory (None: a temporary one). Raises StorageUnavailable."""
        self._directory = DataDirectory(data_dir)
        self._passing = data_dir is None
        try:
            self._writing = self._directory.open_log()
            super().__init__(self._directory.open_reader())
            self._transaction = Transaction(self._writing, WriterMemory(self._writing))
            self._last_position = self._transaction.last_position
        except BaseException:
            self._directory.close()
            raise
        self.replication = Replication()
        self._loop = asyncio.get_running_loop()
        self._recent = RecentRecords(self._last_position)
        self._arrival = asyncio.Event()
        self._growing: list[Callable[[Mapping[str, Stream]], None]] = []
        self._arriving: dict[object, float] = {}
        self._gathered: list[_Job] = []
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)
        self._writer.start()

    @property
    def directory(self) -> Path:
        """The directory of the log."""
        return self._directory.path

    async def write(self, run: Callable[[Transaction], _Answer]) -> _Answer:
        """Run a job in the next commit. Returns its answer when that commit is on disk.

        Raises what the job raises; then the job has no effect. Raises StorageUnavailable if the
        disk cannot be written. A job whose caller is cancelled before it begins is not run; one
        that has begun is not undone. In a cluster, raises NotReady while there is no leader, and
        CommitTimeout if the leader has lost its followers.
        """
        self.replication.admit()
        return await self.replication.in_time(self._queue(run))

    def hand_in(
        self,
        run: Callable[[Transaction], _Answer],
        answered: "Callable[[asyncio.Future[_Answer]], None]",
    ) -> "asyncio.Future[_Answer]":
        """Like ``write``, but returns at once, so that more jobs can be handed in. Jobs run in
        order.

        ``answered`` is called when the answer is there, and when it is cancelled.
        """
        self.replication.admit()
        if not self.replication.is_at_once:
            late = self.replication.in_time(self._queue(run))
            late.add_done_callback(answered)
            return late
        return self._queue(run, ImmediateFuture(answered, self._loop))

    def forget_ids(self) -> None:
        """Forget recent ids: appends with any version are recognised only if repeated from now
        on.
        """
        self._queue(lambda transaction: transaction.forget())

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """While a write is arriving, others wait for it, up to 1 ms, to be committed together.

        So a write that began before another one was committed races with it, as on the server,
        although this log may commit faster.
        """
        mark = object()
        self._arriving[mark] = self._loop.time()
        try:
            yield
        finally:
            self._arriving.pop(mark, None)

    async def write_in_time(
        self, run: Callable[[Transaction], _Answer], giving_up: Callable[[], bool] = lambda: False
    ) -> _Answer:
        """Like ``write``, but retry until the disk can be written, and wait for a majority.

        For background work, which has no caller. Raises StorageUnavailable only if ``giving_up()``.
        """
        while True:
            try:
                return await self._queue(run)
            except StorageUnavailable as error:
                if giving_up():
                    raise
                _log.warning("%s; trying again", error)
                await asyncio.sleep(_TRY_AGAIN)

    def _queue(
        self,
        run: Callable[[Transaction], _Answer],
        answer: "asyncio.Future[Any] | None" = None,
    ) -> "asyncio.Future[_Answer]":
        if answer is None:
            answer = self._loop.create_future()
        job = _Job(run, answer, self._last_position)
        if self._gathered or self._another_arrives():
            self._gather(job)
        else:
            self._jobs.put(job)
        return answer

    @property
    def last_position(self) -> int:
        return self._last_position

    async def beyond(self, position: int) -> int:
        while self._last_position <= position:
            await self.arrival()
        return self._last_position

    async def arrival(self) -> None:
        """Wait for the next commit, or until ``wake``."""
        await self._arrival.wait()

    def wake(self) -> None:
        """Wake all that wait for an ``arrival``."""
        self._arrival.set()
        self._arrival = asyncio.Event()

    def on_growth(self, listener: Callable[[Mapping[str, Stream]], None]) -> None:
        """After each commit, call ``listener`` with the streams that it has changed."""
        self._growing.append(listener)

    def stream(self, name: str) -> Stream:
        found = self._recent.stream(name)
        if found is None:
            found = super().stream(name)
            self._recent.keep(found)
        return found

    def read_stream(
        self, stream: Stream, version: int, *, backwards: bool = False, limit: int = PAGE
    ) -> list[Record]:
        limit = min(limit, PAGE)
        page = self._recent.of_stream(stream, version, backwards=backwards, limit=limit)
        if page is None:
            page = super().read_stream(stream, version, backwards=backwards, limit=limit)
        return page

    def read_log(self, after: int, *, backwards: bool = False, limit: int = PAGE) -> list[Record]:
        limit = min(limit, PAGE)
        page = self._recent.of_log(after, backwards=backwards, limit=limit)
        if page is None:
            page = super().read_log(after, backwards=backwards, limit=limit)
        return page

    def read_targets(self, targets: Sequence[tuple[str, int]]) -> Iterator[tuple[Record, Stream]]:
        lacking = []
        for target in targets:
            if record := self._recent.at(*target):
                yield record, self.stream(record.stream)
            else:
                lacking.append(target)
        if lacking:
            yield from super().read_targets(lacking)

    def close(self) -> None:
        """Finish all jobs that were handed in, then release the directory."""
        self._hand_over()
        self._jobs.put(None)
        self.replication.release()
        self._writer.join()
        self._connection.close()
        self._writing.close()
        self._directory.close()

    def _another_arrives(self) -> bool:
        """Whether another write is arriving, for less than 1 ms."""
        while self._arriving:
            mark, since = next(iter(self._arriving.items()))
            if since > self._loop.time() - _GATHERING:
                return True
            del self._arriving[mark]
        return False

    def _gather(self, job: _Job) -> None:
        if not self._gathered:
            self._loop.call_later(_GATHERING, self._hand_over)
        self._gathered.append(job)
        if not self._another_arrives():
            self._hand_over()

    def _hand_over(self) -> None:
        for job in self._gathered:
            self._jobs.put(job)
        self._gathered.clear()

    def _write(self) -> None:
        while group := self._next_group():
            jobs = [job for job in group if job is not None]
            self.replication.wait()
            if jobs:
                outcomes, changes = self._commit(jobs)
                self._loop.call_soon_threadsafe(self._answer_in_time, outcomes, changes)
            if len(jobs) < len(group):
                return

    def _next_group(self) -> list[_Job | None]:
        group = [self._jobs.get()]
        try:
            while len(group) < _GROUP and group[-1] is not None:
                group.append(self._jobs.get_nowait())
        except Empty:
            pass
        return group

    def _commit(self, jobs: Iterable[_Job]) -> tuple[list[_Outcome], Changes]:
        try:
            outcomes = [self._run(job) for job in jobs if not job.answer.cancelled()]
            return outcomes, self._transaction.commit()
        except sqlite3.Error as error:
            self._transaction.roll_back()
            failure = StorageUnavailable(f"cannot write the log: {error}")
            return [(job.answer, None, failure) for job in jobs], Changes()

    def _run(self, job: _Job) -> _Outcome:
        try:
            return job.answer, self._transaction.run(job.run, job.committed), None
        except sqlite3.OperationalError:  # an error of the disk: no job of this commit takes effect
            raise
        except Exception as error:  # an error of this job: the others are not affected
            return job.answer, None, error

    def _answer_in_time(self, outcomes: list[_Outcome], changes: Changes) -> None:
        """A log in memory answers after 1 ms, so that programs race on it as on a disk."""
        if self._passing:
            self._loop.call_later(_PASSING_COMMIT, self._answer, outcomes, changes)
        else:
            self._answer(outcomes, changes)

    def _answer(self, outcomes: list[_Outcome], changes: Changes) -> None:
        if changes.records:
            self._last_position = changes.records[-1].position
            self._recent.add(changes.records, changes.streams)
            for listener in self._growing:
                listener(changes.streams)
            self.wake()
        for answer, result, error in outcomes:
            if answer.done():  # its caller was cancelled
                continue
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)
