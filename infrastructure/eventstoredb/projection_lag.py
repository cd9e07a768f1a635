"""Whether the server's own projections have linked all there is, and what to do if not."""

import re
from datetime import UTC, datetime
from typing import Final

from esdbclient.exceptions import NotFound
from esdbclient.projections import ProjectionStatistics

from application.ports import Incomplete
from infrastructure.eventstoredb.client import DEADLINE, Client, answering
from infrastructure.eventstoredb.slices import Slices

_NO_ANSWER: Final = "EventStoreDB does not answer for its projections"
_SOON: Final = 2.0  # seconds: statistics and links follow an event after a moment
_SWITCH_ON: Final = (
    "Switch it on: start the service, which does so, or enable it on the page Projections of "
    "EventStoreDB."
)
_START: Final = (
    "Start EventStoreDB with its system projections (EVENTSTORE_RUN_PROJECTIONS=System)."
)
_REPAIR: Final = "Run `links repair`."
_WAIT: Final = "Wait until it has caught up."
_POSITION: Final = re.compile(r"C:(\d+)/")


def position_of(statistics: ProjectionStatistics) -> int:
    """Of ``C:1234/P:1234``, as the server's statistics report it; -1 before it has begun."""
    commit = _POSITION.match(statistics.position)
    return int(commit[1]) if commit else -1


async def lag_of(client: Client, slices: Slices, projection: str) -> Incomplete | None:
    """Why links of that projection may be missing; ``None`` if all are there.

    Raises ``StoreUnavailable``.
    """
    try:
        async with answering(_NO_ANSWER):
            found = await client.get_projection_statistics(name=projection, timeout=DEADLINE)
    except NotFound:
        return Incomplete(projection, "is not there", _START)
    behind = await _behind(slices, position_of(found))
    if not found.status.startswith("Running"):
        return Incomplete(projection, _state(found, behind), _remedy(found, projection), behind)
    if behind is None or behind < _SOON:
        return None
    return Incomplete(projection, f"is {behind:,.0f} s behind", _WAIT, behind)


async def _behind(slices: Slices, position: int) -> float | None:
    """The age of the oldest event that a projection at that position has not linked."""
    after = position if position >= 0 else None
    for linked in await slices.of(None, after, 1, backwards=False):
        if linked.event is not None:
            return max(0.0, (datetime.now(UTC) - linked.event.recorded_at).total_seconds())
    return None


def _state(found: ProjectionStatistics, behind: float | None) -> str:
    state = f"is {found.status.lower()}"
    if found.state_reason.strip():
        state += f" ({found.state_reason.strip()})"
    return state if behind is None else f"{state}, {behind:,.0f} s behind"


def _remedy(found: ProjectionStatistics, projection: str) -> str:
    faulted = "Faulted" in found.status and projection == "$by_category"
    return _REPAIR if faulted else _SWITCH_ON
