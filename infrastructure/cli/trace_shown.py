"""``headwater trace``: the tree of what one request set off."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC
from typing import Any, Final

from rich.text import Text

from application.browsing.places import NothingFound
from application.browsing.trace import Origin, Step, Trace, trace
from infrastructure.cli.event_list import document_of
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console
from infrastructure.cli.table import Column, print_table, width, wrapped
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_COLUMNS: Final = (Column("what happened"), Column("event"), Column("after", right=True))
_DEEPEST: Final = 8
"""Levels that are indented: a saga is a chain, and deeper than a terminal is wide."""
_ORIGINS: Final = {Origin.LOST: " (cause not here)", Origin.CYCLE: " (follows from itself)"}


async def print_trace(deployment: Deployment, name: str, *, json: bool) -> None:
    """Print it. Raises ``CommandFailed`` if nothing has that name, and ``StoreUnavailable``."""
    async with opened_for(deployment, EVENTS) as container:
        try:
            found = await trace(container.looking(), name)
        except NothingFound as error:
            raise CommandFailed(str(error)) from error
    if json:
        say_data(_document(found), items="steps")
        return
    console = Console(soft_wrap=True)
    for line in _heads(found):
        console.print(line)
    console.print()
    print_table(_COLUMNS, [row for step in found.steps for row in _rows(step)])
    console.print()
    for ending in _endings(found):
        for part in wrapped(Text(ending, style="dim"), width()):
            console.print(part)


def _heads(found: Trace) -> Iterator[str]:
    yield f"correlation  {found.correlation_id or 'none'}"
    if found.traceparent:
        yield f"trace        {found.traceparent.split('-')[1]}"
    if found.began:
        yield f"began        {found.began.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
        yield f"took         {_seconds(found.seconds)}"


def _rows(step: Step) -> Iterator[tuple[str, str, str]]:
    indent = "  " * min(step.depth, _DEEPEST)
    event = f"{step.recorded.stream}@{step.recorded.version}"
    if step.origin is not Origin.EVENT:
        yield f"{_command(step)}{_ORIGINS.get(step.origin, '')}", "", ""
    after = "" if step.latency is None else f"+{_seconds(step.latency)}"
    yield f"  {indent}{step.what}", event, after
    # only: bus
    for record in step.records:
        words = {True: "published", False: "not published yet", None: "published?"}
        yield f"  {indent}  → {record.type}", words[record.published], ""
    # end: bus


def _command(step: Step) -> str:
    return f"by {step.by or 'unknown'}"


def _endings(found: Trace) -> Iterator[str]:
    count = len(found.steps)
    streams = len({one.recorded.stream for one in found.steps})
    yield f"{count:,} {'event' if count == 1 else 'events'}, streams: {streams:,}"
    if found.more:
        yield "There may be more: these are the first ones that were found."
    for lack in found.lacks:
        yield f"Not all is here: {lack}"
    if found.others:
        shown = ", ".join(found.others[:5]) + (" …" if len(found.others) > 5 else "")
        yield f"The stream has events of {len(found.others)} other correlations: {shown}"


def _seconds(value: float) -> str:
    return f"{value * 1000:,.0f} ms" if abs(value) < 10 else f"{value:,.0f} s"


def _document(found: Trace) -> dict[str, Any]:
    return {
        "correlation_id": found.correlation_id,
        "traceparent": found.traceparent,
        "began_at": found.began and found.began.isoformat(),
        "seconds": found.seconds,
        "more": found.more,
        "other_correlations": list(found.others),
        "lacks": [asdict(one) for one in found.lacks],
        "steps": [_step(one) for one in found.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        **document_of(step.recorded),
        "depth": step.depth,
        "origin": step.origin,
        "what": step.what,
        "occurred_at": step.at.isoformat(),
        "latency_seconds": step.latency,
        "saga": step.saga,
        "records": [asdict(one) for one in step.records],  # only: bus
    }
