"""Repairs the links of ``$by_category``, which consumer groups read.

An event that a client writes to a stream ``$ce-…`` faults this projection of the server for all
categories. It runs again once that stream is deleted and the projection is reset. Then it writes
all links again, and the groups get all events again, which their handlers must tolerate.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Final

from esdbclient import StreamState
from esdbclient.exceptions import NotFound
from esdbclient.projections import ProjectionStatistics

from infrastructure.eventstoredb.client import DEADLINE, Client, answering
from infrastructure.eventstoredb.projection_lag import position_of
from infrastructure.eventstoredb.reads import end_of_log
from infrastructure.sides import BeyondRepair

_BY_CATEGORY: Final = "$by_category"
_WRITTEN_BY_OTHERS: Final = re.compile(
    r"The '(?P<stream>\$ce-.+)' stream managed by projection \d+ has been written to"
)
_LOOK_EVERY: Final = 0.3  # seconds; the server updates its statistics every quarter of a second

Report = Callable[[str], None]


class CategoryLinks:
    """The server's projection ``$by_category``, in an operator's hands."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def repair(self, report: Report) -> None:
        """Have ``$by_category`` link all events up to those of now; ``report`` what is done.

        Enables it when it is disabled. If it is faulted by a stream that others have written to,
        that stream is deleted (softly: until a scavenge its events stay in ``$all``), and the
        projection is reset. One that runs is left alone, so it is safe to repeat.

        Raises :class:`BeyondRepair` and :class:`~application.ports.StoreUnavailable`.
        """
        with _refusals_in_words():
            async with _answering():
                end = await end_of_log(self._client)
            removed: set[str] = set()
            while not _links_up_to(end, found := await self._found()):
                if found.status.startswith("Faulted"):
                    stream = _written_by_others(found.state_reason, removed)
                    removed.add(stream)
                    await self._remove(stream, report)
                elif not found.status.startswith("Running"):
                    report(f"{_BY_CATEGORY} is {found.status}: enabling it")
                    async with _answering():
                        await self._client.enable_projection(_BY_CATEGORY, timeout=DEADLINE)
                await asyncio.sleep(_LOOK_EVERY)

    async def _found(self) -> ProjectionStatistics:
        async with _answering():
            return await self._client.get_projection_statistics(name=_BY_CATEGORY, timeout=DEADLINE)

    async def _remove(self, stream: str, report: Report) -> None:
        report(f"others have written to {stream}: deleting it, and resetting {_BY_CATEGORY}")
        with suppress(NotFound):  # deleted already
            async with _answering():
                await self._client.delete_stream(
                    stream, current_version=StreamState.ANY, timeout=DEADLINE
                )
        async with _answering():
            await self._client.reset_projection(_BY_CATEGORY, timeout=DEADLINE)


def _links_up_to(end: int, found: ProjectionStatistics) -> bool:
    there = found.progress >= 100 or position_of(found) >= end
    return there and found.status.startswith("Running")


def _written_by_others(reason: str, removed: Collection[str]) -> str:
    """The stream that a fault is about. Raises :class:`BeyondRepair` for any other fault."""
    found = _WRITTEN_BY_OTHERS.match(reason)
    if found is None:
        raise BeyondRepair(f"{_BY_CATEGORY} is faulted for another reason: {reason.strip()}")
    if found["stream"] in removed:
        raise BeyondRepair(
            f"another client keeps writing to {found['stream']}: take from it the right to "
            "write to streams that begin with $, and repeat this"
        )
    return found["stream"]


def _answering() -> AbstractAsyncContextManager[None]:
    return answering(f"EventStoreDB does not let {_BY_CATEGORY} be repaired")


@contextmanager
def _refusals_in_words() -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise BeyondRepair(
            f"the server has no projection {_BY_CATEGORY}: start EventStoreDB with its system "
            "projections (EVENTSTORE_RUN_PROJECTIONS=System)"
        ) from None
