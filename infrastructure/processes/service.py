"""The service in one process: the API and the projections."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from application.ports import Progress, Subscriptions
from application.projections.runner import NOTHING, ProjectionFailed, ProjectionRunner
from application.projections.status import State, Status
from infrastructure.container import Container
from infrastructure.http.app import create_app
from infrastructure.http.server import answering
from infrastructure.processes.listener import url

log = structlog.stdlib.get_logger("headwater.service")


@asynccontextmanager
async def serving(container: Container, listener: socket.socket) -> AsyncIterator[None]:
    """The whole service, as long as the block lasts. Raises ``StoreUnavailable``."""
    app = create_app(container)
    async with (
        app.router.lifespan_context(app),
        projecting(container.runners()),
        answering(app, listener),  # started last, stopped first
    ):
        log.info("serving", url=url(listener))
        yield


async def caught_up(container: Container, patience: float = 60.0) -> None:
    """Wait until every projection shows all that the store holds now, has failed, or time is up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            for runner in container.runners():
                last = await _last_position(container.subscriptions(), runner)
                while _is_behind(runner.status(), last):  # noqa: ASYNC110 - a status does not call
                    await asyncio.sleep(0.02)


def _is_behind(status: Status, last: int) -> bool:
    if status.state is State.FAILED:
        return False
    return not status.caught_up or status.position is None or status.position < last


async def _last_position(subscriptions: Subscriptions, runner: ProjectionRunner[Any]) -> int:
    """The position of the last event there is for this projection, if it is behind."""
    position, last = runner.status().position, NOTHING
    after = None if position == NOTHING else position
    async with subscriptions.catch_up(after=after, types=runner.projection.types) as messages:
        async for message in messages:
            match message:
                case Progress(caught_up=caught_up):
                    if caught_up:
                        break
                case _:
                    last = message.position
    return last


@asynccontextmanager
async def projecting(runners: Sequence[ProjectionRunner[Any]]) -> AsyncIterator[None]:
    """Keep these read models up to date. One that fails stops alone."""
    tasks = [asyncio.create_task(_project(runner)) for runner in runners]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _project(runner: ProjectionRunner[Any]) -> None:
    try:
        await runner.run()
    except ProjectionFailed as failure:
        log.error("projection stopped", projection=runner.projection.name, reason=str(failure))
