"""``headwater bus topics``: the topics of the service, as the broker has them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import typer

from application.ports import Bus, TopicStanding
from infrastructure.cli.figures import UNKNOWN, count, seconds
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError, typed
from infrastructure.cli.table import Column, print_table
from infrastructure.container import wired
from infrastructure.program import Deployment


def bus_of(deployment: Deployment) -> Bus:
    """Where the service publishes. Raises :class:`UsageError` if it does not."""
    if not deployment.program.service.publishes:
        raise UsageError(f"{deployment.program.service.name} publishes nothing")
    bus: Bus | None = wired(deployment.program, deployment.settings).bus()
    if bus is None:
        raise UsageError(f"no bus is set: set {deployment.settings.name_of('bus')}=kafka")
    return bus


async def print_topics(
    deployment: Deployment,
    *,
    create: bool,
    partitions: int | None,
    replication: int | None,
    json: bool,
) -> None:
    """Print them; exit code 1 for one that is missing.

    Raises :class:`UsageError`, ``StoreUnavailable``.
    """
    if (partitions or replication) and not create:
        raise UsageError("--partitions and --replication are those of new topics: add --create")
    bus = bus_of(deployment)
    created = await bus.create_topics(partitions, replication) if create else []
    topics = await bus.topics()
    if json:
        say_data([{**asdict(topic), "created": topic.name in created} for topic in topics])
    else:
        _show(topics, created)
    if any(not topic.exists for topic in topics):
        raise typer.Exit(1)


_COLUMNS: Final = (
    *map(Column, ("topic", "status")),
    *(Column(name, right=True) for name in ("partitions", "copies", "kept for", "largest")),
)


def _show(topics: Sequence[TopicStanding], created: Sequence[str]) -> None:
    print_table(_COLUMNS, [(topic.name, *_cells(topic, created)) for topic in topics])
    if any(not topic.exists for topic in topics):
        say(f"next: {typed('bus topics')} --create [--partitions N] [--replication N]")


def _cells(topic: TopicStanding, created: Sequence[str]) -> Sequence[str]:
    if not topic.exists:
        return ("missing", *[UNKNOWN] * 4)
    kept = "ever" if topic.retention_seconds is None else seconds(topic.retention_seconds)
    status = "created" if topic.name in created else "there"
    sizes = (topic.partitions, topic.replication)
    return (status, *map(count, sizes), kept, f"{count(topic.largest_record)} bytes")
