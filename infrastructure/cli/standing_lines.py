"""Builds of read models as lines of a terminal: their role, status and lag."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rich.text import Text

from application.projections.builds import BuildStanding, Role
from application.projections.lag import Lag, in_a_word, in_words
from infrastructure.cli.figures import count, rate, seconds
from infrastructure.cli.process import typed
from infrastructure.cli.table import Column, lines, width, wrapped

_COLUMNS: Final = (
    *map(Column, ("read model", "build", "role", "status")),
    *(Column(name, right=True) for name in ("lag", "events", "rate", "done in")),
    Column("filled by", text=True),
)
_COLOURS: Final = {"live": "green", "catching up": "yellow", "building": "yellow"}


class Row(NamedTuple):
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

    @property
    def holders(self) -> Sequence[str]:
        """The processes that fill it."""
        return sorted({shard.holder for shard in self.standing.shards if shard.holder})


def lines_of(rows: Sequence[Row]) -> Iterator[Text]:
    """A table, how many there are, and what does not fit into the table."""
    if not rows:
        yield from wrapped(Text(_NONE), width())
        return
    name, cells = None, []
    for row in rows:
        build = row.standing.build
        cells.append(("" if build.name == name else build.name, *_cells(row)))
        name = build.name
    yield from lines(_COLUMNS, cells, width())
    read_models = len({row.standing.build.name for row in rows})
    yield Text()
    yield from wrapped(Text(f"read models: {read_models}, builds: {len(rows)}"), width())
    if notes := [note for row in rows for note in _notes(row.standing, row.lag)]:
        yield Text()
        for note in notes:
            yield from wrapped(Text(note), width())


_NONE: Final = "No read models yet: the first start of a service makes them."


def _cells(row: Row) -> Sequence[str | Text]:
    standing, lag, _ = row
    word = in_a_word(standing)
    share = "" if row.share in (None, 1.0) else f" {row.share:.0%}"
    return (
        standing.build.table.removeprefix(f"{standing.build.name}_"),
        str(standing.role),
        Text(f"{word}{share}", _COLOURS.get(word, "red")),
        seconds(lag.seconds),
        count(lag.events),
        rate(lag.rate),
        seconds(lag.catch_up_in),
        ", ".join(row.holders) or "no process",
    )


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
    elif in_words(standing) != in_a_word(standing):
        yield f"{table} is {in_words(standing)}"
    if standing.role is Role.LIVE and not lag.answers:
        yield f"{table} is of another release: this one answers queries from an earlier build"
