"""Servers of our own for what is not configured, started and stopped with what needs them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.container import Container, write_side_opened
from infrastructure.embedded.eventstoredb.process import NodeFailed, NodeProcess
from infrastructure.embedded.postgres import EmbeddedPostgres, PostgresFailed
from infrastructure.processes import Hindrance
from infrastructure.processes.home import Home
from infrastructure.settings import Settings


@asynccontextmanager
async def servers_for(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with both servers in them. Raises :class:`Hindrance`."""
    async with _event_store_for(settings) as with_events, _postgres_for(with_events) as complete:
        yield complete


@asynccontextmanager
async def event_store_at_hand(settings: Settings) -> AsyncIterator[Container]:
    """The write side, for a command that may run beside the service and use its node.

    A node of our own listens anywhere, since nobody else has to find it.
    Raises :class:`Hindrance`, ``StoreUnavailable``.
    """
    home = Home(settings.headwater_home)
    if not settings.eventstoredb_uri and (running := home.running()):
        settings = settings.model_copy(update={"eventstoredb_uri": running.eventstoredb_uri})
    if settings.eventstoredb_uri:
        async with _write_side(settings) as container:
            yield container
        return
    with home.claimed():
        anywhere = settings.model_copy(update={"eventstoredb_port": 0})
        async with _event_store_for(anywhere) as reachable, _write_side(reachable) as container:
            yield container


@asynccontextmanager
async def _write_side(settings: Settings) -> AsyncIterator[Container]:
    container = Container(settings=settings)
    async with write_side_opened(container):
        yield container


@asynccontextmanager
async def _event_store_for(settings: Settings) -> AsyncIterator[Settings]:
    if settings.eventstoredb_uri:
        yield settings
        return
    directory = settings.headwater_home.absolute() / "eventstoredb"
    try:
        async with NodeProcess(directory, settings.eventstoredb_port) as node:
            yield settings.model_copy(update={"eventstoredb_uri": node.uri})
    except NodeFailed as error:
        raise Hindrance(
            f"{error} (EVENTSTOREDB_PORT sets the port, HEADWATER_HOME the directory)"
        ) from error


@asynccontextmanager
async def _postgres_for(settings: Settings) -> AsyncIterator[Settings]:
    if settings.postgres_uri:
        yield settings
        return
    try:
        async with EmbeddedPostgres(settings.headwater_home.absolute() / "postgres") as server:
            yield settings.model_copy(update={"postgres_uri": server.uri})
    except PostgresFailed as error:
        raise Hindrance(str(error)) from error
