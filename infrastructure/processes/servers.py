"""The servers that a command uses: found or started here, and stopped with it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from infrastructure.processes.embedded_node import NODE  # only: eventstoredb and embedded
from infrastructure.processes.embedded_postgres import POSTGRES  # only: postgres and embedded
from infrastructure.processes.embedded_temporal import TEMPORAL  # only: temporal and embedded
from infrastructure.processes.home import Home
from infrastructure.processes.needs import Needs, Startable
from infrastructure.processes.resolving import Resolved, S, Source, resolve
from infrastructure.program import Deployment
from infrastructure.settings import Settings

if TYPE_CHECKING:
    from infrastructure.container import Container


_STARTABLE: Final[Sequence[Startable]] = (
    # each is started where none is set, in this order
    TEMPORAL,  # only: temporal and embedded
    NODE,  # only: eventstoredb and embedded
    POSTGRES,  # only: postgres and embedded
)


def resolved(deployment: Deployment, needs: Needs) -> Resolved[Settings]:
    """The servers for a command with these needs, as its home is now. Raises as :func:`resolve`."""
    settings, outside = deployment.settings, deployment.program.startable()
    personal = bool(deployment.program.service.encrypted)
    needs = replace(needs, keys=needs.events and personal)
    return resolve(settings, Home(settings).found(), needs, (*_STARTABLE, *outside))


@asynccontextmanager
async def started(servers: Resolved[S]) -> AsyncIterator[S]:
    """Start what has to be started. Yields settings with all addresses in them.

    The home has to be claimed. Raises ``CommandFailed``, also when a server does not stay up.
    """
    settings = servers.settings
    if servers.sources.get(settings.events_in) is Source.STARTED:
        Home(settings).keep(settings.event_store)
    async with AsyncExitStack() as stack:
        for one in servers.starts:
            addresses = await stack.enter_async_context(one.start(settings))
            unset = {name: uri for name, uri in addresses.items() if not getattr(settings, name)}
            settings = settings.model_copy(update=unset)
        yield settings


@asynccontextmanager
async def reached(deployment: Deployment, needs: Needs) -> AsyncIterator[Resolved[Settings]]:
    """The servers that a command with these needs uses, all running, with their addresses.

    The home is claimed for what is started in it. Raises ``CommandFailed``, ``InvalidSettings``.
    """
    servers = resolved(deployment, needs)
    if not servers.starts:
        yield servers
        return
    with Home(deployment.settings).claimed():
        async with started(servers) as complete:
            yield replace(servers, settings=complete)


@asynccontextmanager
async def opened_for(
    deployment: Deployment, needs: Needs, patience: float | None = None
) -> AsyncIterator["Container"]:
    """The wired service over these servers, connected as far as they are needed.

    A call outside is given up after ``patience`` seconds, where that is given. Raises
    ``CommandFailed``, ``InvalidSettings``, ``StoreUnavailable``.
    """
    from infrastructure.connecting import opened  # not for `run`, which opens nothing itself
    from infrastructure.container import wired
    from infrastructure.searching import require_placed  # only: search

    async with reached(deployment, needs) as servers:
        container = wired(deployment.program, servers.settings)
        options = {} if patience is None else {"patience": patience}
        parts = list(_parts(servers, needs))
        async with opened(container, *parts, **options):
            # only: search
            if "read_side" in parts:
                await require_placed(
                    container.projections(),
                    container.builds(),
                    container.checkpoints(),
                    servers.settings,
                )
            # end: search
            yield container


def _parts(servers: Resolved[Settings], needs: Needs) -> Iterator[str]:
    """What a command with these needs opens of the service."""
    if needs.events:
        yield "event_side"
    views, wanted = servers.settings.views_in, needs.views or needs.views_if_known
    if views in servers.sources and (wanted or views == servers.settings.events_in):
        yield "read_side"
    if needs.outside:
        yield "outside"
    if needs.sagas:  # only: temporal
        yield "saga_side"  # only: temporal
