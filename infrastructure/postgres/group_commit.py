"""Group commit: appends that wait together go into one transaction, each with an answer of its own.

Who comes alone is served at once. While a transaction is under way, those that come wait for the
next one, so the more there are, the more go together. One that spoils a group (data that is no
JSON, an id that is taken) or has to wait for somebody's open transaction is tried apart from the
others, and so are they.
"""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast

from psycopg import DataError, IntegrityError
from psycopg.errors import DeadlockDetected, LockNotAvailable

from application.ports import Appended, StoreUnavailable
from infrastructure.postgres.appending import Answer, Append, append, impossible, judged
from infrastructure.postgres.connections import Connection, Pool, once_more

LANES: Final = 2  # transactions under way at a time: one that has to wait does not stop all
MOST: Final = 200  # appends in one transaction
_ENOUGH: Final = 1000  # events in one transaction; an append that has more goes alone

Commit = Callable[[Connection, Sequence[Append]], Awaitable[Sequence[Answer | None]]]
_Waiting = tuple[Append, "Future[Appended]"]


class Spoilt(Exception):
    """One of these appends cannot be committed, whichever it is; the reason is for its caller."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class GroupCommit:
    """Commits appends, over a durable pool."""

    def __init__(
        self, pool: Pool, commit: Commit = append, tell: Callable[[int], None] = lambda _: None
    ) -> None:
        """``tell`` hears of every group how many appends it had."""
        self._pool, self._commit, self._tell = pool, commit, tell
        self._waiting: deque[_Waiting] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def append(self, append: Append) -> Appended:
        """What ``EventStore.append`` promises."""
        answer: Future[Appended] = asyncio.get_running_loop().create_future()
        self._waiting.append((append, answer))
        if len(self._lanes) < LANES:
            self._lanes.add(asyncio.create_task(self._work()))
        return await answer

    async def _work(self) -> None:
        try:
            await self._empty()
        finally:
            self._lanes.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _empty(self) -> None:
        while group := self._next():
            self._tell(len(group))
            answers = await self._answers([append for append, _ in group])
            for (_, waiting), answer in zip(group, answers, strict=True):
                _give(waiting, answer)

    def _next(self) -> Sequence[_Waiting]:
        """The next group: those that came first, but of every stream only one."""
        group: dict[str, _Waiting] = {}
        later: list[_Waiting] = []
        events = 0
        while self._waiting and len(group) < MOST:
            append, waiting = one = self._waiting.popleft()
            if waiting.cancelled():
                continue
            events += len(append.ids)
            if append.stream in group or (group and events > _ENOUGH):
                later.append(one)
            else:
                group[append.stream] = one
        self._waiting.extendleft(reversed(later))
        return list(group.values())

    async def _answers(self, appends: Sequence[Append]) -> Sequence[Answer]:
        try:
            answers = await self._committed(appends)
        except Exception as error:  # whatever it is, it is for those who wait
            return [error] * len(appends)
        if len(appends) == 1:
            return [answers[0] or impossible(appends[0])]
        return await asyncio.gather(
            *(self._again(*one) for one in zip(appends, answers, strict=True))
        )

    async def _again(self, append: Append, answer: Answer | None) -> Answer:
        """The answer, from a transaction of its own if the group gave none."""
        return answer or (await self._answers([append]))[0]

    async def _committed(self, appends: Sequence[Append]) -> Sequence[Answer | None]:
        """What came of them; ``None`` for those that were spoilt by another, or cannot stand."""

        async def commit(connection: Connection) -> Sequence[Answer | None]:
            try:
                return await self._commit(connection, appends)
            except IntegrityError:
                return await judged(connection, appends)
            except (Spoilt, DataError, DeadlockDetected, LockNotAvailable) as error:
                return [_refusal(appends[0], error)] if len(appends) == 1 else [None] * len(appends)

        return await once_more(self._pool, commit)


def _give(waiting: "Future[Appended]", answer: Answer) -> None:
    if waiting.done():
        return  # whoever waited has gone
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)


def _refusal(append: Append, error: Exception) -> Exception:
    """What to say of an append that did not work even alone."""
    if isinstance(error, Spoilt):
        return error.reason
    if isinstance(error, DataError):
        return ValueError(f"PostgreSQL cannot keep an event for {append.stream}: {error}")
    return StoreUnavailable(
        f"PostgreSQL: somebody has appended to {append.stream} and keeps the transaction open: "
        f"{error}"
    )
