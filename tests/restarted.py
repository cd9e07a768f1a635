"""Servers of event stores that a test may end and start again, always at the same address."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit  # only: eventstoredb and embedded

from embedded_eventstoredb import NodeProcess  # only: eventstoredb and embedded
from tests.infrastructure.postgres_restarted import server_in  # only: postgres and embedded

How = Literal["stopped", "killed"]


@dataclass(frozen=True)
class Restarted:
    """One server over one directory. ``ends`` returns when it is back."""

    uri: str
    ends: Callable[[How], Awaitable[None]]


# only: eventstoredb and embedded
@asynccontextmanager
async def node(directory: Path) -> AsyncIterator[Restarted]:
    """An embedded EventStoreDB node."""
    running = await asyncio.to_thread(NodeProcess(directory).start)
    uri = running.uri

    async def ends(how: How) -> None:
        nonlocal running
        await asyncio.to_thread(running.stop if how == "stopped" else running.kill)
        again = NodeProcess(directory, port=urlsplit(uri).port or 0)
        running = await asyncio.to_thread(again.start)

    try:
        yield Restarted(uri, ends)
    finally:
        await asyncio.to_thread(running.stop)


# end: eventstoredb and embedded
# only: postgres and embedded
@asynccontextmanager
async def postgres(directory: Path) -> AsyncIterator[Restarted]:
    """A PostgreSQL."""
    with server_in(directory) as server:

        async def ends(how: How) -> None:
            await asyncio.to_thread(server.restart if how == "stopped" else server.crash)

        yield Restarted(server.uri, ends)


# end: postgres and embedded
