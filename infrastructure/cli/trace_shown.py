"""``headwater trace``: the tree of what one request set off."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from application.browsing.places import NothingFound
from application.browsing.published import Record  # only: bus
from application.browsing.trace import Origin, Step, Trace, trace
from infrastructure.cli.event_list import document_of
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console
from infrastructure.cli.table import width, wrapped
from infrastructure.cli.trace_tree import Branch, print_tree
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

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
    print_tree([*_branches(found)])
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


def _branches(found: Trace) -> Iterator[Branch]:
    days = {at.astimezone(UTC).date() for step in found.steps for at in _times(step)}
    clock = "%H:%M:%S" if len(days) <= 1 else "%Y-%m-%d %H:%M:%S"
    for step in found.steps:
        if step.origin is not Origin.EVENT:
            yield Branch(f"{_command(step)}{_ORIGINS.get(step.origin, '')}")
        event = f"{step.recorded.stream}@{step.recorded.version}"
        at = _moment(step.at, clock)
        yield Branch(step.what, step.depth + 1, event, at, _after(step.latency))
        # only: bus
        for record in step.records:
            yield Branch(
                f"→ {record.words}",
                step.depth + 2,
                record.type,
                _published(record, clock),
                _after(record.after(step.recorded)),
            )
        # end: bus


def _times(step: Step) -> Iterator[datetime]:
    yield step.at
    # only: bus
    for record in step.records:
        if at := record.at or record.by:
            yield at
    # end: bus


# only: bus
def _published(record: Record, clock: str) -> str:
    if record.at:
        return _moment(record.at, clock)
    return f"by {_moment(record.by, clock)}" if record.by else ""


# end: bus
def _moment(at: datetime, clock: str) -> str:
    """To the millisecond: many steps are done within one second."""
    utc = at.astimezone(UTC)
    return f"{utc:{clock}}.{utc.microsecond // 1000:03}Z"


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


def _after(latency: float | None) -> str:
    """Less than nothing where the clocks of two computers differ."""
    return "" if latency is None else f"{'+' if latency >= 0 else ''}{_seconds(latency)}"


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
        "records": [_record(one, step) for one in step.records],  # only: bus
    }


# only: bus
def _record(record: Record, step: Step) -> dict[str, Any]:
    return {
        "topic": record.topic,
        "key": record.key,
        "type": record.type,
        "published": record.published,
        "published_at": record.at and record.at.isoformat(),
        "published_by": record.by and record.by.isoformat(),
        "latency_seconds": record.after(step.recorded),
    }


# end: bus
