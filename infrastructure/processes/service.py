"""A service in one process: the API, the projections, and the consumers of events."""

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

log = structlog.stdlib.get_logger(__name__)


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
        gc.freeze()  # collecting what was built at the start would stop the process for 50 ms
        log.info("serving", url=url(listener))
        yield


@asynccontextmanager
async def projecting(container: Container) -> AsyncIterator[None]:
    """Keep the read models up to date, and measure how far they are behind."""
    async with container.working().at_work(
        read_models=lambda: container.host().run(),
        watch=lambda: watch(container),
        watch_groups=lambda: watch_groups(container),
    ):
        yield


@asynccontextmanager
async def reacting(container: Container) -> AsyncIterator[None]:
    """Run sagas, their deadlines, and reactions."""
    working = container.working()
    workers: Mapping[str, GroupConsumer] = {**container.reactions(), **container.saga_workers()}
    for name, worker in workers.items():
        working.watch(name, worker)
    runs = {name: worker.run for name, worker in workers.items()}
    moments = {f"deadlines of {name}": one.run for name, one in container.deadlines().items()}
    async with working.at_work(**runs, **moments):
        yield


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
