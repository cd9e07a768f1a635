"""``headwater bus status``: how far the events are on the bus."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from application.integration_events import Contract
from application.ports import ForwarderStanding, PositionLost
from application.whole_log import EventLog, whole_log
from infrastructure.cli.bus_topics import bus_of
from infrastructure.cli.figures import count, seconds
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import say
from infrastructure.cli.process import typed
from infrastructure.cli.progress import shown
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


@dataclass(frozen=True)
class _Lag:
    """What is not on the bus yet; ``None``: not known."""

    head: int
    """The position of the last event in the log."""
    events: int | None
    seconds: float | None


async def print_status(deployment: Deployment, *, json: bool) -> None:
    """Print it. Raises ``CommandFailed``, ``UsageError``, ``StoreUnavailable``."""
    try:
        standing = await bus_of(deployment).standing()
    except PositionLost as error:
        raise CommandFailed(str(error)) from error
    async with opened_for(deployment, EVENTS) as container:
        lag = await _lag(container.subscriptions(), container.service().contract, standing)
    if json:
        say_data(_document(standing, lag))
        return
    for name, words in _lines(standing, lag):
        say(f"{name:11}{words}")


async def _lag(log: EventLog, contract: Contract, standing: ForwarderStanding | None) -> _Lag:
    head, reached = await log.head(), standing.position if standing else -1
    if reached > head:
        return _Lag(head, None, None)
    missing, oldest = 0, None
    with shown() as report:
        async with whole_log(log, contract.events, report, after=reached) as events:
            async for recorded in events:
                oldest, missing = oldest or recorded.recorded_at, missing + 1
    age = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
    return _Lag(head, missing, max(0.0, age))


def _document(standing: ForwarderStanding | None, lag: _Lag) -> dict[str, Any]:
    return {
        "position": standing and standing.position,
        "published": standing.published if standing else 0,
        "written_at": standing and standing.at.isoformat(),
        "holder": standing and standing.holder,
        "failure": standing and standing.failure,
        "log_ends_at": lag.head,
        "lag_events": lag.events,
        "lag_seconds": lag.seconds,
    }


def _lines(standing: ForwarderStanding | None, lag: _Lag) -> Iterator[tuple[str, str]]:
    if standing is None:
        yield "published", "nothing yet"
    else:
        yield "published", f"{count(standing.published)} records"
        yield "position", f"{count(standing.position)} of {count(lag.head)}"
        yield "written", f"{standing.at:%Y-%m-%d %H:%M:%SZ} by {standing.holder}"
    yield "lag", f"{seconds(lag.seconds)}, {count(lag.events)} events"
    if standing and standing.failure:
        yield "failed", standing.failure
    if lag.events is None:
        yield "failed", "the bus is ahead of this log: an older backup was restored"
        yield "next", f"{typed('bus replay')} --from end --dry-run"
