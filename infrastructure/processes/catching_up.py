"""Waiting until the read models show what has happened."""

import asyncio
from contextlib import suppress
from typing import Any

from application.ports import Progress
from application.projections.projection import Projection
from infrastructure.container import Container


async def caught_up(container: Container, patience: float = 60.0) -> None:
    """Return when every read model shows all events of now, or has failed, or time is up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            for projection in container.projections():
                while await _misses_events(container, projection):  # noqa: ASYNC110 - stores
                    await asyncio.sleep(0.02)


async def _misses_events(container: Container, projection: Projection[Any]) -> bool:
    """Whether the views lack an event, and the projection has not failed."""
    views = await container.read_models().live(projection)
    after = await views.checkpoint()
    following = container.subscriptions().catch_up(after=after, only=projection.events)
    async with following as messages:
        async for message in messages:
            lag = await container.lags().of(projection)
            if not isinstance(message, Progress):
                return not lag.failed
            if message.caught_up:  # and its runner has noticed
                return lag.seconds is None and not lag.failed
    return True
