"""The servers that a command uses: found or started here, and stopped with it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from infrastructure.container import Container, connected, wired, write_side_opened
from infrastructure.processes.embedded_node import NODE
from infrastructure.processes.embedded_postgres import POSTGRES
from infrastructure.processes.home import Home
from infrastructure.processes.needs import Embedded, Needs
from infrastructure.processes.resolving import Resolved, S, Source, resolve
from infrastructure.settings import Settings


def resolved(settings: S, needs: Needs, outside: Sequence[Embedded] = ()) -> Resolved[S]:
    """The servers for a command with these needs, as its home is now.

    ``outside`` stands in for the servers of others. Raises as :func:`resolve` does.
    """
    return resolve(settings, Home(settings).found(), needs, (NODE, POSTGRES, *outside))


@asynccontextmanager
async def started(servers: Resolved[S]) -> AsyncIterator[S]:
    """Start what has to be started. Yields settings with all addresses in them.

    The home has to be claimed. Raises ``CommandFailed``, also when a server does not stay up.
    """
    settings = servers.settings
    if servers.sources.get(settings.servers[0]) is Source.STARTED:
        Home(settings).keep(settings.event_store)
    async with AsyncExitStack() as stack:
        for one in servers.starts:
            addresses = await stack.enter_async_context(one.start(settings))
            unset = {name: uri for name, uri in addresses.items() if not getattr(settings, name)}
            settings = settings.model_copy(update=unset)
        yield settings


@asynccontextmanager
async def reached(
    settings: S, needs: Needs, outside: Sequence[Embedded] = ()
) -> AsyncIterator[Resolved[S]]:
    """The servers of a command with these needs, all running, and their addresses.

    The home is claimed for what is started in it. Raises ``CommandFailed``, ``InvalidSettings``.
    """
    servers = resolved(settings, needs, outside)
    if not servers.starts:
        yield servers
        return
    with Home(settings).claimed():
        async with started(servers) as complete:
            yield replace(servers, settings=complete)


@asynccontextmanager
async def opened_for(
    settings: Settings, needs: Needs, outside: Sequence[Embedded] = ()
) -> AsyncIterator[Container]:
    """The wired service over these servers, connected as far as they are needed.

    Raises ``CommandFailed``, ``InvalidSettings``, ``StoreUnavailable``.
    """
    async with reached(settings, needs, outside) as servers:
        container = wired(servers.settings)
        both = "postgres_uri" in servers.sources
        async with connected(container) if both else write_side_opened(container):
            yield container
