"""Whether what is written reaches enough members: at once, later, or not before one leads again."""

import asyncio
import threading
from enum import Enum, auto
from typing import TypeVar

from embedded_eventstoredb.errors import CommitTimeout, NotReady

_Answer = TypeVar("_Answer")


class Reach(Enum):
    """How far a write comes."""

    MAJORITY = auto()
    """To more than half of the members, as always on a node alone."""
    LEADER = auto()
    """To the leader only, which has not noticed yet that it is alone."""
    NOBODY = auto()
    """Nobody leads: nothing is taken on."""


class Replication:
    """Holds writes back while they do not reach a majority.

    What was taken on by a leader that is alone times out, and is committed once a majority is back.
    """

    def __init__(self) -> None:
        self._reach = Reach.MAJORITY
        self._timeout = 0.0
        self._committing = threading.Event()
        self._committing.set()

    def reach(self, reach: Reach, timeout: float = 0.0) -> None:
        """From now on writes come that far; at the LEADER they time out after so many seconds."""
        self._reach, self._timeout = reach, timeout
        if reach is Reach.MAJORITY:
            self._committing.set()
        else:
            self._committing.clear()

    def admit(self) -> None:
        """Raises NotReady while nobody leads."""
        if self._reach is Reach.NOBODY:
            raise NotReady

    @property
    def is_at_once(self) -> bool:
        """Whether a write that is taken on now reaches a majority without waiting for one."""
        return self._reach is Reach.MAJORITY

    def in_time(self, answer: "asyncio.Future[_Answer]") -> "asyncio.Future[_Answer]":
        """The answer of a write that was taken on; at a leader alone CommitTimeout, too late."""
        if self.is_at_once:
            return answer
        loop = asyncio.get_running_loop()
        bounded: asyncio.Future[_Answer] = loop.create_future()
        late = loop.call_later(self._timeout, _fail, bounded, CommitTimeout())
        answer.add_done_callback(lambda _: late.cancel())
        answer.add_done_callback(lambda _: _copy(answer, bounded))
        return bounded

    def release(self) -> None:
        """Commit what is held back: the node ends."""
        self._committing.set()

    def wait(self) -> None:
        """On the writer's thread: until commits reach a majority."""
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
