"""A service as a test sees it: its HTTP interface over some wiring, projections running."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from application.category import Category
from application.messages import Context
from domain.decider import Command
from infrastructure.container import Container
from infrastructure.http.app import create_app
from infrastructure.processes.catching_up import caught_up
from infrastructure.processes.service import projecting
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Client:
    """What a client can do, and what a test needs besides."""

    http: httpx.AsyncClient
    container: Container

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """The answer, once the read models show all that has happened."""
        await caught_up(self.container, patience=PATIENCE)
        return await self.http.get(path, headers=headers)

    async def post(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.http.post(path, json=body, headers=headers)

    async def dispatch(self, id: str, command: Command, category: Category | None = None) -> None:
        """What HTTP does not offer."""
        context = Context.start("a test", uuid4(), datetime.now(UTC))
        await self.container.dispatch()(id, command, context, category=category)

    async def events(self, stream: str) -> list[str]:
        """The types of the events in a stream."""
        return [past.type async for past in self.container.event_store().read(stream)]


T = TypeVar("T", bound=Client)


@asynccontextmanager
async def serving(
    client: type[T], container: Container, *, projects: bool = True
) -> AsyncIterator[T]:
    """The service with this wiring; if ``projects`` is false, its read models stay as they are."""
    app = create_app(container)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        if projects:
            await stack.enter_async_context(projecting(container))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
        yield client(await stack.enter_async_context(http), container)
