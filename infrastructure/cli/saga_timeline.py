"""``headwater sagas show``: one saga, step by step, from its own stream."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from rich.text import Text

from application.sagas import queries as saga_queries
from application.sagas.lookup import SagaName
from application.sagas.saga import Saga
from application.sagas.standings import SagaStanding
from application.sagas.state import SagaStatus
from application.sagas.timeline import EntryKind, EntryOutcome, TimelineEntry
from infrastructure.cli.columns import aligned
from infrastructure.cli.figures import seconds
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console
from infrastructure.cli.process import typed
from infrastructure.cli.saga_commands import Which, found
from infrastructure.cli.saga_list import in_words
from infrastructure.container import Container
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_MARKS: Final = {
    EntryOutcome.UNDER_WAY: ("…", "cyan"),
    EntryOutcome.COMPLETED: ("✓", "green"),
    EntryOutcome.REFUSED: ("✗", "red"),
    EntryOutcome.TIMED_OUT: ("✗", "red"),
    EntryOutcome.EXPIRED: ("✗", "red"),
    EntryOutcome.CUT_OFF: ("⊘", "yellow"),
    EntryOutcome.UNDONE: ("↶", "yellow"),
    EntryOutcome.FAILED: ("✗", "bold red"),
    EntryOutcome.RECORDED: ("»", "bold"),
}


async def print_saga(deployment: Deployment, which: Which, *, json: bool) -> None:
    """Print the saga by its stream, not by the read model. Raises ``CommandFailed`` …"""
    async with opened_for(deployment, EVENTS) as container:
        saga = await _as_recorded(container, await found(container, which))
        versions = container.service().versions
    now = datetime.now(UTC)
    if json:
        document = saga.model_dump(mode="json", exclude={"state"})
        document["overdue"] = saga_queries.overdue(saga, now)
        say_data(document)
    else:
        definition = versions.get(saga.saga, {}).get(saga.definition)
        console = Console(soft_wrap=True)
        _show(saga, definition, now, console)
        # only: temporal
        if page := container.settings().page_in_temporal(saga.saga, saga.saga_id):
            console.print(f"in Temporal: {page}")
        # end: temporal


async def _as_recorded(container: Container, name: SagaName) -> SagaStanding:
    """What the read model shows once it has caught up."""
    saga: SagaStanding | None = None
    evolve = container.service().standings.evolve
    assert evolve is not None  # it has no parts
    async for recorded in container.event_store().read(str(name)):
        saga = evolve(saga, recorded)
    assert saga is not None  # it was found
    return saga


def _show(
    saga: SagaStanding, definition: Saga[Any] | None, now: datetime, console: Console
) -> None:
    console.print(Text.assemble((f"{saga.saga} {saga.saga_id}", "bold"), "  ", in_words(saga, now)))
    age = seconds((now - saga.started_at).total_seconds())
    console.print(
        f"started {saga.started_at:%Y-%m-%d %H:%M:%SZ}, {age} ago, by definition {saga.definition}"
    )
    console.print()
    for line in _timeline(saga):
        console.print(line)
    console.print()
    for words in _conclusion(saga, definition, now):
        console.print(words)


def _timeline(saga: SagaStanding) -> Iterator[Text]:
    rows = [_cells(entry, saga.started_at) for entry in saga.timeline]
    for entry, row, line in zip(saga.timeline, rows, aligned(rows), strict=True):
        yield line
        if why := entry.reason or entry.error:
            yield Text(f"{' ' * row[0].cell_len}     {why}", style="dim")


def _cells(entry: TimelineEntry, start: datetime) -> Sequence[Text]:
    """When, a mark, what, what came of it, how long it took, how many attempts."""
    mark, colour = _MARKS[entry.outcome]
    command = entry.kind is EntryKind.COMMAND
    return (
        Text(_clock(entry.began_at, start)),
        Text(mark, style=colour),
        Text(_name(entry), style="bold" if command else ""),
        Text("" if command else entry.outcome, style=colour),
        Text(_took(entry)),
        Text(_attempts(entry)),
    )


def _name(entry: TimelineEntry) -> str:
    match entry.kind:
        case EntryKind.STEP:
            return entry.name
        case EntryKind.UNDO:
            return f"undo {entry.name}"
        case EntryKind.COMMAND:
            return f"{entry.by}: {entry.name}"


def _attempts(entry: TimelineEntry) -> str:
    if entry.outcome is EntryOutcome.UNDER_WAY:
        return f"{entry.attempts} failed" if entry.attempts else ""
    return f"{entry.attempts} attempts" if entry.attempts > 1 else ""


def _took(entry: TimelineEntry) -> str:
    if entry.ended_at is None or entry.kind is EntryKind.COMMAND:
        return ""
    took = (entry.ended_at - entry.began_at).total_seconds()
    if took < 0.001:
        return ""
    return f"{took * 1000:.0f} ms" if took < 1 else seconds(took)


def _clock(moment: datetime, start: datetime) -> str:
    """The time of day, and the day where it is another one than that of the start."""
    same = moment.date() == start.date()
    return f"{moment:%H:%M:%S}" if same else f"{moment:%m-%d %H:%M:%S}"


# ── what it comes to ─────────────────────────────────────────────────────────────────────────────


def _conclusion(saga: SagaStanding, definition: Saga[Any] | None, now: datetime) -> Iterator[str]:
    took = seconds((saga.changed_at - saga.started_at).total_seconds())
    match saga.status:
        case SagaStatus.COMPLETED:
            yield f"Every step is done, in {took}."
        case SagaStatus.COMPENSATED:
            yield f"All that it did is undone, in {took}. Why: {saga.reason}"
        case SagaStatus.RESOLVED:
            yield f"A person has seen to it by other means, {took} after its start."
        case SagaStatus.FAILED:
            yield f"It can go neither on nor back: a person must act. Why: {saga.reason}"
            yield from _help(saga, "retry", "compensate", "resolve")
        case SagaStatus.RUNNING | SagaStatus.COMPENSATING:
            yield from _waiting(saga, definition, now)
        case _:
            assert_never(saga.status)


def _waiting(saga: SagaStanding, definition: Saga[Any] | None, now: datetime) -> Iterator[str]:
    if saga.status is SagaStatus.COMPENSATING:
        yield f"It goes back. Why: {saga.reason}"
    assert saga.due is not None  # it is at work
    if saga.waits_until is not None:
        yield from _what_for(saga, definition, saga.waits_until, now)
        return
    doing = f"{'undo ' * (saga.status is SagaStatus.COMPENSATING)}{saga.step}"
    left = (saga.due - now).total_seconds()
    if left < 0:
        yield f"It should have moved {seconds(-left)} ago, at {saga.due:%H:%M:%SZ}."
    elif saga.state.again_at is not None:
        yield f"It waits {seconds(left)}, until {saga.due:%H:%M:%SZ}, to {doing} once more."
    else:
        yield f"It is about to {doing}, until {saga.due:%H:%M:%SZ} at the latest."
    if saga_queries.overdue(saga, now):
        yield "No service has noticed: is one running?"
    if (deadline := saga.state.deadline) is not None and not _irrevocable(saga, definition):
        when = f"At {deadline:%H:%M:%SZ}" if now < deadline else "At the next failed attempt"
        yield f"{when} it gives up, and undoes what it has done."
    if saga.attempts:
        commands = ("retry", "compensate") if saga.status is SagaStatus.RUNNING else ("retry",)
        yield from _help(saga, *commands)


def _what_for(
    saga: SagaStanding, definition: Saga[Any] | None, until: datetime, now: datetime
) -> Iterator[str]:
    """What a waiting step waits for, and what follows at its moment."""
    when, left = f"{until:%Y-%m-%d %H:%M:%SZ}", (until - now).total_seconds()
    if saga.waits_for is None:
        yield f"It waits {seconds(left)}, until {when}, and goes on then."
    else:
        end = "fails" if _irrevocable(saga, definition) else "gives up, and undoes what it has done"
        yield f"It waits for {saga.waits_for}. At {when}, in {seconds(left)}, it {end}."
    if saga_queries.overdue(saga, now):
        yield "That moment has passed, and no service has noticed: is one running?"
    yield from _help(saga, "compensate")


def _irrevocable(saga: SagaStanding, definition: Saga[Any] | None) -> bool:
    """Whether it is beyond the point from which nothing turns it back by itself."""
    return definition is not None and any(
        entry.name == definition.no_return and entry.outcome is EntryOutcome.COMPLETED
        for entry in saga.timeline
    )


def _help(saga: SagaStanding, *commands: str) -> Iterator[str]:
    yield ""
    for command in commands:
        yield f'  {typed("sagas")} {command} {saga.key} --reason "…"'
