"""Whether writes reach a majority of members: at once, later, or not before there is a leader."""

import asyncio
import threading
from enum import Enum, auto
from typing import TypeVar

from embedded_eventstoredb.errors import CommitTimeout, NotReady

_Answer = TypeVar("_Answer")


class Reach(Enum):
    """How far a write is replicated."""

    MAJORITY = auto()
    """To more than half of the members; always so on a single node."""
    LEADER = auto()
    """To the leader only, which has lost its followers but has not resigned yet."""
    NOBODY = auto()
    """There is no leader: writes are refused."""


class Replication:
    """Delays writes while they do not reach a majority.

    A write that a leader without followers accepts times out, and is committed when a majority is
    back.
    """

    def __init__(self) -> None:
        self._reach = Reach.MAJORITY
        self._timeout = 0.0
        self._committing = threading.Event()
        self._committing.set()

    def reach(self, reach: Reach, timeout: float = 0.0) -> None:
        """Set how far writes are replicated; at LEADER they time out after ``timeout`` seconds."""
        self._reach, self._timeout = reach, timeout
        if reach is Reach.MAJORITY:
            self._committing.set()
        else:
            self._committing.clear()

    def admit(self) -> None:
        """Raises NotReady while there is no leader."""
        if self._reach is Reach.NOBODY:
            raise NotReady

    @property
    def is_at_once(self) -> bool:
        """Whether a write that is accepted now reaches a majority without waiting."""
        return self._reach is Reach.MAJORITY

    def in_time(self, answer: "asyncio.Future[_Answer]") -> "asyncio.Future[_Answer]":
        """The answer of an accepted write; CommitTimeout, if a leader without followers waits
        too long.
        """
        if self.is_at_once:
            return answer
        loop = asyncio.get_running_loop()
        bounded: asyncio.Future[_Answer] = loop.create_future()
        late = loop.call_later(self._timeout, _fail, bounded, CommitTimeout())
        answer.add_done_callback(lambda _: late.cancel())
        answer.add_done_callback(lambda _: _copy(answer, bounded))
        return bounded

    def release(self) -> None:
        """Commit all delayed writes, because the node ends."""
        self._committing.set()

    def wait(self) -> None:
        """Block the writer's thread until commits reach a majority."""
        self._committing.wait()


def _copy(answer: "asyncio.Future[_Answer]", to: "asyncio.Future[_Answer]") -> None:
    error = answer.exception()
    if error is not None:
        _fail(to, error)
    elif not to.done():
        to.set_result(answer.result())


def _fail(answer: "asyncio.Future[_Answer]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
