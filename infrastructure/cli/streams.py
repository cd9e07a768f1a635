"""``headwater stream NAME``: a stream, printed readably or as JSON lines."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rich.highlighter import JSONHighlighter
from rich.text import Text

from application.browsing.documents import author
from application.messages import RecordedEvent
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def print_stream(
    deployment: Deployment, name: str, *, json: bool, backwards: bool, limit: int | None
) -> None:
    """Print it. Raises :class:`CommandFailed` when there is no such stream."""
    console, found = Console(highlight=True, highlighter=JSONHighlighter()), False
    async with opened_for(deployment, EVENTS) as container:
        browsable = container.event_side().repair_links is not None
        events = container.event_store().read(name, backwards=backwards, limit=limit)
        async for recorded in events:
            found = True
            if json:
                say_data(_document_of(recorded), indent=None)
            else:
                _show(recorded, name, console)
    if not found:
        names = [category.name for category in deployment.program.service.categories]
        raise CommandFailed(_unknown(name, names, browsable=browsable))


def _unknown(name: str, categories: Sequence[str], *, browsable: bool) -> str:
    """Which streams there are instead; ``browsable``: a category is a stream of links, too."""
    known = ", ".join(f"{category}-…" for category in categories)
    if browsable:
        return (
            f"there is no stream named {name}: name one such as {known}, "
            f"or all of a category, such as $ce-{categories[0]}"
        )
    if name.startswith("$"):
        return (
            f"there is no stream named {name}: this event store has no streams of links; "
            f"name one such as {known}"
        )
    return f"there is no stream named {name}: name one such as {known}"


def _show(recorded: RecordedEvent, name: str, console: Console) -> None:
    metadata = _document(recorded.metadata_json)
    when = metadata.get("occurred_at", recorded.recorded_at.isoformat(timespec="seconds"))
    where = "" if recorded.stream == name else f"{recorded.stream} "
    console.print(
        Text.assemble(
            (f"{where}{recorded.version}", "bold cyan"),
            "  ",
            (recorded.type, "bold"),
            f"  {when}  by {author(metadata) or 'unknown'}",
        ),
        soft_wrap=True,
    )
    for line in _readable(_document(recorded.data)):
        console.print(f"    {line}", soft_wrap=True)


def _readable(document: Any) -> Iterator[str]:
    """One line for each field, and for each item of a list."""
    if not isinstance(document, dict):
        yield _json(document)
        return
    for name, value in document.items():
        if isinstance(value, list):
            yield f"{name}:"
            yield from (f"  {_json(item)}" for item in value)
        else:
            yield f"{name}: {_json(value)}"


def _document_of(recorded: RecordedEvent) -> dict[str, Any]:
    return {
        "stream": recorded.stream,
        "version": recorded.version,
        "position": recorded.position,
        "type": recorded.type,
        "id": str(recorded.id),
        "recorded_at": recorded.recorded_at.isoformat(),
        "metadata": _document(recorded.metadata_json),
        "data": _document(recorded.data),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _document(data: bytes) -> Any:
    """The stored JSON; other systems may have stored bytes of any kind."""
    try:
        return json.loads(data) if data else {}
    except ValueError:
        return {"bytes": data.hex()}
