"""``headwater projections list``: every build of every read model, readably or as JSON."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from rich.text import Text

from application.projections.builds import BuildStanding, Role
from application.projections.lag import Lag, Lags, in_a_word
from infrastructure.cli.figures import count, seconds
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import say
from infrastructure.cli.process import typed
from infrastructure.cli.table import Column, print_table, say_text
from infrastructure.processes.needs import READ_MODELS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


class _Row(NamedTuple):
    """A build, how far it is behind, and the position of the last event of the store."""

    standing: BuildStanding
    lag: Lag
    head: int

    @property
    def share(self) -> float | None:
        """The part of its events that is in its views, from 0 to 1; ``None``: unknown.

        Where they cannot be counted: of the log.
        """
        if self.lag.events is not None:
            events = self.lag.taken_in + self.lag.events
            return self.lag.taken_in / events if events else 1.0
        if self.lag.position is None or self.head <= 0:
            return None
        return min(max(self.lag.position / self.head, 0.0), 1.0)


_AT_ONCE: Final = 0.02  # seconds
_COUNTING: Final = 10.0  # seconds for a store that counts by reading, and has not come to the end
_COLUMNS: Final = (
    *map(Column, ("read model", "build", "role", "status")),
    *(Column(name, right=True) for name in ("lag", "events", "done in")),
    Column("filled by", text=True),
)
_COLOURS: Final = {"live": "green", "catching up": "yellow", "building": "yellow"}


async def print_all(deployment: Deployment, *, json: bool) -> None:
    """Print it. Raises ``CommandFailed``, ``StoreUnavailable``."""
    async with opened_for(deployment, READ_MODELS) as container:
        lags = {lag.build: lag for lag in await _counted(container.lags())}
        standings = await container.builds().standings()
        head = await container.subscriptions().head()
    rows = [
        _Row(standing, lags[standing.build], head)
        for standing in standings
        if standing.build in lags
    ]
    if json:
        say_data([_document(row) for row in rows])
    elif rows:
        _show(rows)
    else:
        say_text("No read models yet: the first start of a service makes them.")


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


def _show(rows: Sequence[_Row]) -> None:
    name, cells = None, []
    for row in rows:
        standing = row.standing
        shown = "" if standing.build.name == name else standing.build.name
        name = standing.build.name
        cells.append((shown, *_cells(row)))
    print_table(_COLUMNS, cells)
    read_models = len({standing.build.name for standing, *_ in rows})
    say()
    say_text(f"read models: {read_models}, builds: {len(rows)}")
    if notes := [note for row in rows for note in _notes(row.standing, row.lag)]:
        say()
        for note in notes:
            say_text(note)


def _cells(row: _Row) -> Sequence[str | Text]:
    standing, lag, _ = row
    word = in_a_word(standing)
    share = "" if row.share in (None, 1.0) else f" {row.share:.0%}"
    return (
        standing.build.table.removeprefix(f"{standing.build.name}_"),
        str(standing.role),
        Text(f"{word}{share}", _COLOURS.get(word, "red")),
        seconds(lag.seconds),
        count(lag.events),
        seconds(lag.catch_up_in),
        ", ".join(_holders(standing)) or "no process",
    )


def _holders(standing: BuildStanding) -> Sequence[str]:
    return sorted({shard.holder for shard in standing.shards if shard.holder})


def _notes(standing: BuildStanding, lag: Lag) -> Iterator[str]:
    """What does not fit into a line: why a build has stopped, and the commands that help."""
    table = standing.build.table
    if failure := standing.failure:
        yield (
            f"{table} stopped at position {failure.position} "
            f"({failure.at:%Y-%m-%d %H:%M:%SZ}): {failure.event}"
        )
        yield f"  event  {failure.event_id}"
        yield f"  error  {failure.error}"
        yield f"  next   {typed('projections retry')} {table}, or"
        yield f'         {typed("projections skip")} {table} {failure.event_id} --reason "…"'
    elif lag.state != in_a_word(standing):
        yield f"{table} is {lag.state}"
    if standing.role is Role.LIVE and not lag.answers:
        yield f"{table} is of another release: this one answers queries from an earlier build"


def _document(row: _Row) -> dict[str, Any]:
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
        "filled_by": _holders(standing),
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
