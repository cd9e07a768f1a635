"""``headwater projections list``: every build of every read model, once or until it is filled."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from application.projections.builds import BuildStanding, Role
from application.projections.lag import NOBODY, Lag, Lags, in_a_word, in_words
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console
from infrastructure.cli.standing_lines import Row, lines_of
from infrastructure.cli.watch import Look, watch
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import READ_MODELS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

if TYPE_CHECKING:
    from infrastructure.container import Container

_AT_ONCE: Final = 0.02  # seconds
_COUNTING: Final = 10.0  # seconds for a store that counts by reading, and has not come to the end
_CAUGHT_UP: Final = 1.0  # seconds of lag: while events are appended, it is hardly ever 0
_UNFILLED: Final = 30.0  # seconds in which a process that starts again is waited for


async def print_all(deployment: Deployment, *, json: bool) -> None:
    """Print it. Raises ``CommandFailed``, ``StoreUnavailable``."""
    async with opened_for(deployment, READ_MODELS) as container:
        rows = await _rows(container, await _counted(container.lags()))
    if json:
        say_data([_document(row) for row in rows])
        return
    console = Console(soft_wrap=True)
    for line in lines_of(rows):
        console.print(line)


async def watch_all(deployment: Deployment, *, json: bool) -> None:
    """Show it until every build has caught up.

    Raises ``CommandFailed`` when it ends with one that does not: it has failed, it is paused, or
    for half a minute no process has filled it. ``StoreUnavailable``.
    """
    time = asyncio.get_running_loop().time
    began, behind = time(), list[str]()

    async def look() -> Look:
        rows = await _rows(container, await container.lags().counted())
        behind[:] = [f"{row.lag.build.table} is {row.lag.state}" for row in rows if _behind(row)]
        return _look(rows, time() - began)

    async with opened_for(deployment, READ_MODELS) as container:
        await watch(look, json=json)
    if behind:
        raise CommandFailed("\n".join(behind))


async def _rows(container: "Container", lags: Sequence[Lag]) -> Sequence[Row]:
    standings = await container.builds().standings()
    head = await container.subscriptions().head()
    of = {lag.build: lag for lag in lags}
    return [
        Row(standing, of[standing.build], head) for standing in standings if standing.build in of
    ]


async def _counted(lags: Lags) -> Sequence[Lag]:
    """With the number of missing events, for which a store may have to read on, for a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _COUNTING
    found = await lags.counted()
    while any(lag.events is None for lag in found) and loop.time() < end:
        before = loop.time()
        found = await lags.counted()
        if loop.time() - before < _AT_ONCE:  # it does not count: nothing would change
            break
    return found


def _look(rows: Sequence[Row], watched_for: float) -> Look:
    return Look(
        lines=[*lines_of(rows)],
        document=[_document(row) for row in rows],
        figures=[_figures(row) for row in rows],
        waits=any(_behind(row) and _moves(row.standing, watched_for) for row in rows),
    )


def _figures(row: Row) -> object:
    """What has changed only when something has happened to it."""
    standing, lag, _ = row
    return standing.build, standing.role, in_words(standing), lag.position, lag.events, row.holders


def _behind(row: Row) -> bool:
    seconds = row.lag.seconds
    kept = row.standing.role is Role.LIVE or bool(row.holders)  # another one may stay behind
    return kept and (seconds is None or seconds > _CAUGHT_UP)


def _moves(standing: BuildStanding, watched_for: float) -> bool:
    """Whether it will catch up without a person."""
    if standing.failure or standing.paused:
        return False
    return in_a_word(standing) != NOBODY or _unfilled_for(standing, watched_for) < _UNFILLED


def _unfilled_for(standing: BuildStanding, watched_for: float) -> float:
    """For so many seconds, and not longer than it was watched, no process has reported."""
    reports = [shard.reported_at for shard in standing.shards]
    silences = [(standing.now - at).total_seconds() if at else watched_for for at in reports]
    return min(watched_for, max(silences))


def _document(row: Row) -> dict[str, Any]:
    standing, lag, _ = row
    paused, failure = standing.paused, standing.failure
    return {
        "name": standing.build.name,
        "version": standing.build.version,
        "build": standing.build.table,
        "role": standing.role,
        "status": in_a_word(standing),
        "position": lag.position,
        "share": row.share,
        "lag_seconds": lag.seconds,
        "lag_events": lag.events,
        "events_per_second": lag.rate,
        "caught_up_in_seconds": lag.catch_up_in,
        "filled_by": row.holders,
        "seen_at": lag.seen_at.isoformat(),
        "paused": paused
        and {"by": paused.by, "reason": paused.reason, "at": paused.at.isoformat()},
        "failure": failure
        and {
            "position": failure.position,
            "event_id": str(failure.event_id),
            "event": failure.event,
            "error": failure.error,
            "at": failure.at.isoformat(),
        },
    }
