"""The calls of Kafka's client block, so they are made in a thread, in slices that can be given up.

What they raise becomes what the ports raise.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event
from time import monotonic
from typing import Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from application.ports import BusUnavailable, Fenced, RecordTooLarge

PATIENCE: Final = 30.0  # seconds
SLICE: Final = 0.5  # seconds
_APART: Final = 0.02  # seconds
_ENDED: Final = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
    }
)
_CAN_END: Final = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError.NOT_LEADER_FOR_PARTITION,  # of a topic that was created just now
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)

R = TypeVar("R")


class Faults:
    """What a client reports beside its answers: why it cannot connect, for example."""

    last: str | None = None

    def note(self, error: KafkaError) -> None:
        self.last = error.str()

    def because(self, reason: str) -> str:
        more = self.last if self.last and self.last not in reason else None
        return f"Kafka: {reason} ({more})" if more else f"Kafka: {reason}"


@contextmanager
def answers(faults: Faults) -> Iterator[None]:
    """Raises :class:`Fenced` or :class:`BusUnavailable` for what the client raises."""
    try:
        yield
    except KafkaException as error:
        found: KafkaError = error.args[0]
        if found.code() in _ENDED:
            raise Fenced("another forwarder was started since, or this one was too slow") from error
        raise BusUnavailable(faults.because(found.str())) from error


def no_topic(names: Iterable[str]) -> BusUnavailable:
    """The error for topics that are missing."""
    return BusUnavailable(
        f"Kafka: there is no topic {', '.join(names)}, or this user may not see it: "
        "`bus topics --create` creates what is missing"
    )


class Thread:
    """A thread for the calls of one client, one after the other."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._given_up = Event()

    async def run(self, call: Callable[[], R]) -> R:
        """Make a call there. When this is cancelled, it waits until the call has been given up."""
        future = asyncio.wrap_future(self._executor.submit(call))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self._given_up.set()
            with suppress(Fenced, BusUnavailable, RecordTooLarge):
                await future
            raise

    async def end(self, last: Callable[[], None]) -> None:
        """Make the last call, whatever was given up before."""
        await asyncio.shield(asyncio.wrap_future(self._executor.submit(last)))
        self._executor.shutdown(wait=False)

    def in_slices(self, call: Callable[[float], R]) -> R:
        """As :func:`patiently`, to be called in the thread. Ends early when it is given up."""
        return patiently(call, PATIENCE, self._given_up)


def patiently(call: Callable[[float], R], patience: float, given_up: Event | None = None) -> R:
    """Repeat a call, to which it gives a number of seconds, as long as its failure can end by
    itself. Raises that in the end."""
    end, given_up = monotonic() + patience, given_up or Event()
    while True:
        try:
            return call(SLICE)
        except KafkaException as error:
            found: KafkaError = error.args[0]
            can_end = found.retriable() or found.code() in _CAN_END
            if not can_end or monotonic() > end or given_up.wait(_APART):
                raise
