"""What a saga has done, so that two engines can be compared."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from application.messages import RecordedEvent
from tests.application.sagas.world import World


def told(world: World[Any], stream: str | None = None) -> Sequence[str]:
    """Type and step of each event; of attempts that wait for the next, any number is one.

    ``stream``: of another saga than the one that the world is about.
    """
    stream = stream or f"{world.saga_under_test.name}-{world.id}"
    lines = [
        f"{of.type} {getattr(of.event, 'step', '')} {_plain(getattr(of.event, 'reason', ''))}"
        for of in world.recorded(stream)
        if of.type != "SagaWoken"  # one for each that is delayed
    ]
    return [line for line, _ in groupby(lines)]


def _plain(reason: str) -> str:
    """Without the moments in it."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "…", reason)


def commands(world: World[Any]) -> Sequence[tuple[str, ...]]:
    """What the saga had done to its aggregates, each with the id of its command, and for whom."""
    return [
        (of.stream, of.type, str(of.metadata.command_id), of.metadata.actor, str(principal(of)))
        for of in world.store.after(-1, 100_000)
        if of.metadata.saga_id and not of.stream.startswith(f"{world.saga_under_test.name}-")
    ]


def principal(recorded: RecordedEvent) -> str | None:
    return recorded.metadata.on_behalf_of


def principals(world: World[Any]) -> set[str | None]:
    """On whose behalf the saga did all that it did."""
    stream = f"{world.saga_under_test.name}-{world.id}"
    own = (of for of in world.recorded(stream) if of.metadata.saga_id == stream)
    return {principal(of) for of in own}
