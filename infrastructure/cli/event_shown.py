"""``headwater events show``: one event, whole."""

import json as texts
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC
from typing import Any, Final

from rich.text import Text

from application.browsing.explained import Explained, explained
from application.browsing.places import NothingFound, event_named
from application.messages import RecordedEvent
from infrastructure.cli.event_list import document_of
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console
from infrastructure.cli.table import width, wrapped
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_NEEDS: Final = replace(EVENTS, views_if_known=True)
_NAME: Final = 11  # columns of what stands before a value


async def print_event(deployment: Deployment, name: str, *, json: bool) -> None:
    """Print it. Raises ``CommandFailed`` if there is none, and ``StoreUnavailable``."""
    async with opened_for(deployment, _NEEDS) as container:
        looking = container.looking()
        try:
            found = await explained(looking, await event_named(looking.browser, name))
        except NothingFound as error:
            raise CommandFailed(str(error)) from error
    if json:
        say_data(_document(found))
        return
    console = Console(soft_wrap=True)
    for head, value in _lines(found):
        first = Text(f"{head:{_NAME}}", style="bold")
        for line in wrapped(value, max(width() - _NAME, 20)):
            console.print(first + line)
            first = Text(" " * _NAME)


def _lines(found: Explained) -> Iterator[tuple[str, Text]]:
    event = found.recorded
    yield "event", Text(f"{event.stream}@{event.version}  {event.type}", style="bold cyan")
    yield "id", Text(str(event.id))
    yield "recorded", Text(f"{_at(event)}, position {event.position}")
    yield "version", Text(_schema(found))
    for head, document in (("metadata", found.metadata), ("stored", found.stored)):
        yield from _fields(head, document)
    if found.payload:
        where = found.payload.missing or f"{found.payload.size:,} bytes in the payload store"
        yield "payload", Text(f"{where} (sha256 {found.payload.sha256})")
    if found.unreadable:
        yield "unreadable", Text(found.unreadable, style="red")
    elif found.lifted or found.payload:
        yield from _fields("as read", found.read)
    yield "caused by", Text(_named(found.cause) if found.cause else _command(found))
    for number, effect in enumerate(found.effects):
        yield "" if number else "led to", Text(_named(effect))
    if not found.effects:
        yield "led to", Text("nothing yet, directly")
    yield from _read_models(found)
    for lack in found.lacks:
        yield "missing", Text(str(lack), style="yellow")


def _fields(head: str, document: Any) -> Iterator[tuple[str, Text]]:
    """A line for each field, and for each item of a list in it."""
    fields = document.items() if isinstance(document, dict) else [("", document)]
    for name, value in fields:
        for number, item in enumerate(value if isinstance(value, list) and value else [value]):
            shown = texts.dumps(item, ensure_ascii=False)
            yield head, Text(f"{name}: {shown}" if name and not number else f"  {shown}")
            head = ""


def _read_models(found: Explained) -> Iterator[tuple[str, Text]]:
    words = {True: "has it", False: "does not have it yet", None: "unknown"}
    if found.taken_in is None:
        yield "taken in", Text("unknown: the read models were not asked")
    for number, one in enumerate(found.taken_in or ()):
        yield "" if number else "taken in", Text(f"{one.build} ({one.role}): {words[one.has_it]}")


def _schema(found: Explained) -> str:
    if found.schema_version is None:
        return "none: another system wrote it"
    newest = found.current_version
    known = "a type that the service does not have" if newest is None else f"newest: {newest}"
    return f"{found.schema_version} ({known})"


def _command(found: Explained) -> str:
    causation = found.recorded.causation_id
    command = found.metadata.get("command_id") if isinstance(found.metadata, dict) else None
    if causation is None:
        return "unknown"
    return f"command {causation}" if causation == command else f"{causation}, which is not here"


def _named(event: RecordedEvent) -> str:
    return f"{event.stream}@{event.version}  {event.type}  {_at(event)}"


def _at(event: RecordedEvent) -> str:
    return f"{event.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _document(found: Explained) -> dict[str, Any]:
    taken_in = found.taken_in
    return {
        **document_of(found.recorded),
        "metadata": found.metadata,
        "stored": found.stored,
        "read": found.read,
        "unreadable": found.unreadable,
        "schema_version": found.schema_version,
        "current_version": found.current_version,
        "payload": found.payload and asdict(found.payload),
        "cause": found.cause and document_of(found.cause),
        "effects": [document_of(one) for one in found.effects],
        "taken_in": None if taken_in is None else [asdict(one) for one in taken_in],
        "lacks": [asdict(one) for one in found.lacks],
    }
