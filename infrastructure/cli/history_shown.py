"""``headwater history``: what each event of a stream changed, and the state at a version."""

import json as texts
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from rich.text import Text

from application.browsing.documents import Difference, author, stored
from application.browsing.history import Change, History, as_it_was, history
from application.browsing.places import NothingFound
from infrastructure.cli.event_list import document_of
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console
from infrastructure.cli.process import UsageError
from infrastructure.cli.table import width, wrapped
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def print_history(
    deployment: Deployment, name: str, *, at: int | None, first: int, limit: int, json: bool
) -> None:
    """Print it. Raises :class:`UsageError`, ``CommandFailed``, ``StoreUnavailable``."""
    if not 1 <= limit <= 500:
        raise UsageError(f"limit is {limit}, it has to be 1 to 500")
    async with opened_for(deployment, EVENTS) as container:
        looking = container.looking()
        try:
            found: Change | History
            if at is not None:
                found = await as_it_was(looking, name, at)
            else:
                found = await history(looking, name, first=first, limit=limit)
        except NothingFound as error:
            raise CommandFailed(str(error)) from error
    if isinstance(found, Change):
        _print_state(found, json=json)
    else:
        _print_changes(found, json=json)


def _print_changes(found: History, *, json: bool) -> None:
    if json:
        say_data(_document(found), items="changes")
        return
    for change in found.changes:
        for line in _lines(change):
            Console(soft_wrap=True).print(line)
    for ending in _endings(found):
        for part in wrapped(Text(ending, style="dim"), width()):
            Console(soft_wrap=True).print(part)


def _print_state(change: Change, *, json: bool) -> None:
    document = {**document_of(change.recorded), "state": change.after}
    if json:
        say_data(document)
        return
    Console(soft_wrap=True).print(_head(change))
    text = texts.dumps(change.after, ensure_ascii=False, indent=2)
    for line in text.splitlines():
        Console(soft_wrap=True).print(f"  {line}")


def _head(change: Change) -> Text:
    event = change.recorded
    by = author(stored(event.metadata_json)) or "unknown"
    return Text.assemble(
        (f"{event.version}", "bold cyan"),
        "  ",
        (event.type, "bold"),
        f"  {event.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}  by {by}",
    )


def _lines(change: Change) -> Iterator[Text]:
    yield _head(change)
    for one in change.changed:
        indent = "    "
        for part in wrapped(Text(_changed(one)), max(width() - 6, 20)):
            yield Text(indent) + part
            indent = "      "


def _changed(one: Difference) -> str:
    if one.before is None:
        return f"{one.path}: {_value(one.after)}"
    return f"{one.path}: {_value(one.before)} → {_value(one.after)}"


def _value(value: Any) -> str:
    return "nothing" if value is None else texts.dumps(value, ensure_ascii=False)


def _endings(found: History) -> Iterator[str]:
    count = len(found.changes)
    yield f"{count:,} {'event' if count == 1 else 'events'} of {found.stream}"
    if found.more:
        yield f"There are more: --from {found.changes[-1].recorded.version + 1}"
    if found.unknown:
        yield f"States are unknown: {found.unknown}"
    for lack in found.lacks:
        yield f"Not all is here: {lack}"


def _document(found: History) -> dict[str, Any]:
    return {
        "stream": found.stream,
        "more": found.more,
        "unknown": found.unknown,
        "changes": [
            {
                **document_of(one.recorded),
                "before": one.before,
                "after": one.after,
                "changed": [vars(change) for change in one.changed],
            }
            for one in found.changes
        ],
    }
