"""Group commit: appends that wait together share one transaction, each with its own answer.

An append that comes alone is committed at once. While transactions are under way, appends wait for
the next one, so groups grow with the load. An append that fails its group (invalid JSON, a taken
id) or has to wait for another session's open transaction is tried apart, and so are the others.
While such a transaction holds a stream, other streams do not wait: appends to that stream are tried
beside the groups, a few at a time, and further ones are refused at once.
"""

import asyncio
import re
from asyncio import Future
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from psycopg import DataError, IntegrityError
from psycopg.errors import (
    DeadlockDetected,
    LockNotAvailable,
    ProgramLimitExceeded,
    StatementTooComplex,
)

from application.pacing import MOMENT
from application.ports import Appended, StoreUnavailable
from infrastructure.batching import Batcher, Report, Waiting, give, ignore
from infrastructure.postgres.connections import once_more
from infrastructure.postgres.events.appending import Answer, Append, append, judged, taken
from infrastructure.postgres.pools import Connection, Pool

MOST: Final = 200  # appends in one transaction
TRIALS: Final = 2  # appends to held streams that are tried at a time: each waits on a connection
_ENOUGH: Final = 1000  # events in one transaction; an append that has more goes alone
_PATIENCE: Final = 2  # more attempts, each as long as the server waits for a lock
_UNFIT: Final = (DataError, ProgramLimitExceeded, StatementTooComplex)  # today and tomorrow

Commit = Callable[[Connection, Sequence[Append]], Awaitable[Sequence[Answer | None]]]
_Waiting = Waiting[Append, Appended]


class Spoilt(Exception):
    """One of these appends cannot be committed. The reason is for its caller."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class StreamHeld(StoreUnavailable):
    """Another session has appended to the stream in a transaction that is still open."""

    def __init__(self, stream: str) -> None:
        super().__init__(
            f"PostgreSQL: another session has appended to {stream} and keeps its transaction open"
        )


class GroupCommit:
    """Commits appends, over a durable pool."""

    def __init__(
        self,
        pool: Pool,
        commit: Commit = append,
        report: Report = ignore,
        *,
        moment: float = MOMENT,
    ) -> None:
        """``report`` is called with the number of appends in each transaction. ``moment``: seconds
        in which several appends wait for others."""
        self._pool, self._commit = pool, commit
        self._batches: Batcher[Append, Appended] = Batcher(
            self._next, self._serve, report, moment=moment
        )
        self._held: set[str] = set()  # streams in another session's open transaction
        self._tried: set[str] = set()  # of these, those that are being tried

    async def append(self, append: Append) -> Appended:
        """What ``EventStore.append`` promises."""
        if append.stream in self._held:
            return await self._try(append)
        return await self._batches.answer(append)

    async def _try(self, append: Append) -> Appended:
        """Append to a stream that was held, beside the batches."""
        if append.stream in self._tried or len(self._tried) >= TRIALS:
            raise StreamHeld(append.stream)
        self._tried.add(append.stream)
        answer: Future[Appended] = asyncio.get_running_loop().create_future()
        try:
            await self._serve([(append, answer)])
        finally:
            self._tried.remove(append.stream)
        if not isinstance(answer.exception(), StreamHeld):
            self._held.discard(append.stream)
        return answer.result()

    def _next(self, waiting: deque[_Waiting]) -> Sequence[_Waiting]:
        """The next group: the first appends, but only one of each stream."""
        group: dict[str, _Waiting] = {}
        later: list[_Waiting] = []
        events = 0
        while waiting and len(group) < MOST:
            append, answer = one = waiting.popleft()
            if answer.cancelled():
                continue
            if append.stream in self._held:
                answer.set_exception(StreamHeld(append.stream))
                continue
            events += len(append.ids)
            if append.stream in group or (group and events > _ENOUGH):
                later.append(one)
            else:
                group[append.stream] = one
        waiting.extendleft(reversed(later))
        return list(group.values())

    async def _serve(self, group: Sequence[_Waiting]) -> None:
        """Answer each append; those that failed by another one are committed apart."""
        try:
            answers = await self._committed([append for append, _ in group])
        except Exception as error:  # whatever it is: the callers get it
            answers = [error] * len(group)
        for (_, waiting), answer in zip(group, answers, strict=True):
            if answer is not None:
                give(waiting, answer)
        left = [one for one, answer in zip(group, answers, strict=True) if answer is None]
        await asyncio.gather(*(self._serve([one]) for one in left))

    async def _committed(self, appends: Sequence[Append]) -> Sequence[Answer | None]:
        """Their answers; ``None`` for those that have to be tried apart."""

        async def commit(connection: Connection) -> Sequence[Answer | None]:
            try:
                answers = await self._patiently(connection, appends)
            except IntegrityError:
                answers = await judged(connection, appends)
            except (Spoilt, *_UNFIT, DeadlockDetected, LockNotAvailable) as error:
                if len(appends) > 1 and not _locks_all(error):
                    return [None] * len(appends)
                return [self._refusal(append, error) for append in appends]
            return answers if answers != [None] else [await taken(connection, appends[0])]

        return await once_more(self._pool, commit)

    async def _patiently(
        self, connection: Connection, appends: Sequence[Append]
    ) -> Sequence[Answer | None]:
        """Try longer when every append has to wait: for the table, or a slow disk."""
        for _ in range(_PATIENCE):
            try:
                return await self._commit(connection, appends)
            except LockNotAvailable as error:
                if not _locks_all(error):
                    raise
        return await self._commit(connection, appends)

    def _refusal(self, append: Append, error: Exception) -> Exception:
        """The error of an append that failed alone."""
        match error:
            case Spoilt(reason=reason):
                return reason
            case LockNotAvailable() if not _locks_all(error):
                self._held.add(append.stream)
                return StreamHeld(append.stream)
            case LockNotAvailable() | DeadlockDetected():
                return StoreUnavailable(
                    f"PostgreSQL: another session keeps a lock that is needed: {error}"
                )
            case _:
                return ValueError(f"PostgreSQL cannot keep an event for {append.stream}: {error}")


def _locks_all(error: Exception) -> bool:
    """Whether every append had to wait: a wait for another's event names its place."""
    if not isinstance(error, LockNotAvailable):
        return False
    return re.search(r"\bevents\b", error.diag.context or "") is None
