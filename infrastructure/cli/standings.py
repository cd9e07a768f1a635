"""``headwater projections list``: every build of every read model, readably or as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.text import Text

from application.projections.builds import BuildStanding, Role
from application.projections.lag import Lag, in_a_word
from infrastructure.cli.figures import count, seconds
from infrastructure.cli.printing import Console, Table, say, say_json
from infrastructure.cli.process import typed
from infrastructure.processes.needs import READ_MODELS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_Row = tuple[BuildStanding, Lag]
_COLOURS: Final = {"live": "green", "catching up": "yellow", "building": "yellow"}


async def print_all(deployment: Deployment, *, json: bool) -> None:
    """Print it. Raises ``CommandFailed``, ``StoreUnavailable``."""
    async with opened_for(deployment, READ_MODELS) as container:
        lags = {lag.build: lag for lag in await container.lags().counted()}
        standings = await container.builds().standings()
    rows = [(standing, lags[standing.build]) for standing in standings if standing.build in lags]
    if json:
        say_json([_document(*row) for row in rows])
    elif rows:
        _show(rows)
    else:
        say("No read models yet: the first start of a service makes them.")


def _show(rows: Sequence[_Row]) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("read model", "build", "role", "status"):
        table.add_column(column, no_wrap=True)
    for column in ("lag", "events", "done in"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("filled by", overflow="fold")
    name = None
    for standing, lag in rows:
        shown = "" if standing.build.name == name else standing.build.name
        name = standing.build.name
        table.add_row(shown, *_cells(standing, lag))
    console.print(table)
    if notes := [note for standing, lag in rows for note in _notes(standing, lag)]:
        console.print()
        for note in notes:
            console.print(note, soft_wrap=True)


def _cells(standing: BuildStanding, lag: Lag) -> Sequence[str | Text]:
    word = in_a_word(standing)
    return (
        standing.build.table.removeprefix(f"{standing.build.name}_"),
        str(standing.role),
        Text(word, _COLOURS.get(word, "red")),
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


def _document(standing: BuildStanding, lag: Lag) -> dict[str, Any]:
    paused, failure = standing.paused, standing.failure
    return {
        "name": standing.build.name,
        "version": standing.build.version,
        "build": standing.build.table,
        "role": standing.role,
        "status": in_a_word(standing),
        "position": lag.position,
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
