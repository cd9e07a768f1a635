"""The service in one process: the API, the projections, and what reacts to events."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from application.consuming import GroupConsumer
from application.ports import Progress
from application.projections.projection import Projection
from infrastructure.container import Container
from infrastructure.http.app import create_app
from infrastructure.http.server import answering
from infrastructure.processes.listener import url
from infrastructure.processes.watching import watch, watch_groups

log = structlog.stdlib.get_logger("headwater.service")


@asynccontextmanager
async def serving(container: Container, listener: socket.socket) -> AsyncIterator[None]:
    """The whole service, as long as the block lasts. Raises ``StoreUnavailable``."""
    app = create_app(container)
    async with (
        app.router.lifespan_context(app),
        projecting(container),
        reacting(container),
        answering(app, listener),  # started last, stopped first
    ):
        gc.freeze()  # what stands now, stays: to look through it takes 50 ms, while all else waits
        log.info("serving", url=url(listener))
        yield


@asynccontextmanager
async def projecting(container: Container) -> AsyncIterator[None]:
    """Keep the read models up to date, and an eye on how old they are."""
    async with container.working().at_work(
        read_models=lambda: container.host().run(),
        watch=lambda: watch(container),
        watch_groups=lambda: watch_groups(container),
    ):
        yield


@asynccontextmanager
async def reacting(container: Container) -> AsyncIterator[None]:
    """React to what has happened: sagas, their deadlines, and choreographed flows."""
    working = container.working()
    workers: Mapping[str, GroupConsumer] = {**container.reactions(), **container.saga_workers()}
    for name, worker in workers.items():
        working.watch(name, worker)
    runs = {name: worker.run for name, worker in workers.items()}
    moments = {f"deadlines of {name}": one.run for name, one in container.deadlines().items()}
    async with working.at_work(**runs, **moments):
        yield


async def caught_up(container: Container, patience: float = 60.0) -> None:
    """Wait until every read model shows all that the store holds now, has failed, or time is up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            for projection in container.projections():
                while await _misses_events(container, projection):  # noqa: ASYNC110 - stores
                    await asyncio.sleep(0.02)


async def _misses_events(container: Container, projection: Projection[Any]) -> bool:
    """Whether there is an event for it that is not in the views, and it is still trying."""
    views = await container.read_models().live(projection)
    after = await views.checkpoint()
    following = container.subscriptions().catch_up(after=after, only=projection.events)
    async with following as messages:
        async for message in messages:
            lag = await container.lags().of(projection)
            if not isinstance(message, Progress):
                return not lag.failed
            if message.caught_up:  # and whoever fills it knows
                return lag.seconds is None and not lag.failed
    return True
