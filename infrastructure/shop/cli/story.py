"""``headwater order ID``: one order as one timeline over all its streams."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from application.sagas.timeline import EntryKind
from application.shop.order_story import Moment, OrderStory, SagaStep, order_story
from infrastructure.cli.event_list import document_of
from infrastructure.cli.figures import seconds
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def print_story(deployment: Deployment, order_id: str, *, json: bool) -> None:
    """Print it. Raises ``CommandFailed`` for an order that was never placed."""
    async with opened_for(deployment, EVENTS) as container:
        story = await order_story(container.event_store(), order_id)
    if story is None:
        raise CommandFailed(f"there is no order {order_id}")
    if json:
        entries = [_document(one) for one in story.entries]
        say_data({"order_id": order_id, "entries": entries}, items="entries")
    else:
        console = Console(soft_wrap=True)
        for line in _lines(story):
            console.print(line)


def _lines(story: OrderStory) -> Iterator[Text]:
    for one in story.entries:
        yield _moment(one) if isinstance(one, Moment) else _step(one)
        if isinstance(one, SagaStep) and (why := one.entry.reason or one.entry.error):
            yield Text(f"{'':22}{why}", style="dim")
    yield Text("")
    for stream, version in story.streams:
        yield Text(f"headwater history {stream} --at {version}", style="dim")


def _moment(one: Moment) -> Text:
    since = "" if one.since is None else f", {seconds(one.since.total_seconds())} after its cause"
    return Text.assemble(
        (f"{_when(one.at)}  ", "cyan"),
        (one.recorded.type, "bold"),
        f"  {one.recorded.stream}@{one.recorded.version}  by {one.by or 'unknown'}{since}",
    )


def _step(one: SagaStep) -> Text:
    entry = one.entry
    what = f"undo {entry.name}" if entry.kind is EntryKind.UNDO else entry.name
    tried = f", {entry.attempts} attempts" if entry.attempts > 1 else ""
    by = f" by {entry.by}" if entry.by else ""
    return Text(f"{_when(entry.began_at)}    {one.saga}: {what}{by}, {entry.outcome}{tried}")


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _document(one: Moment | SagaStep) -> dict[str, Any]:
    if isinstance(one, SagaStep):
        return {"saga": one.saga, "id": one.id, **one.entry.model_dump(mode="json")}
    stored = document_of(one.recorded)
    return {
        "type": one.recorded.type,
        "stream": one.recorded.stream,
        "version": one.recorded.version,
        "at": one.at.isoformat(),
        "actor": stored["actor"],
        "on_behalf_of": stored["on_behalf_of"],
        "seconds_after_cause": None if one.since is None else one.since.total_seconds(),
        "changes": [vars(change) for change in one.changes],
    }
