"""Servers of our own for what is not configured, started and stopped with what needs them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.container import Container, connected, write_side_opened
from infrastructure.embedded.eventstoredb.process import NodeFailed, NodeProcess
from infrastructure.embedded.postgres import EmbeddedPostgres, PostgresFailed
from infrastructure.processes import Hindrance
from infrastructure.processes.home import Home
from infrastructure.providers.simulated import SimulatedProviders, SimulationFailed
from infrastructure.settings import Settings


@asynccontextmanager
async def servers_for(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with both servers in them. Raises :class:`Hindrance`."""
    async with _event_store_for(settings) as with_events, _postgres_for(with_events) as complete:
        yield complete


@asynccontextmanager
async def providers_for(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with a payment provider and a carrier in them. Raises :class:`Hindrance`.

    Those of the service that runs in the home, if one does, where none are set. Those that are
    simulated keep their books there.
    """
    if running := Home(settings.headwater_home).running():
        settings = settings.model_copy(
            update={
                "payment_provider_uri": settings.payment_provider_uri
                or running.payment_provider_uri,
                "carrier_uri": settings.carrier_uri or running.carrier_uri,
            }
        )
    if settings.payment_provider_uri and settings.carrier_uri:
        yield settings
        return
    books = settings.headwater_home.absolute() / "providers" / "books.sqlite3"
    try:
        async with SimulatedProviders(books) as simulated:
            payments = settings.payment_provider_uri or simulated.payment_provider_uri
            parcels = settings.carrier_uri or simulated.carrier_uri
            yield settings.model_copy(
                update={"payment_provider_uri": payments, "carrier_uri": parcels}
            )
    except SimulationFailed as error:
        raise Hindrance(str(error)) from error


@asynccontextmanager
async def event_store_at_hand(settings: Settings) -> AsyncIterator[Container]:
    """The write side, for a command that may run beside the service and use its node.

    The read side, too, where its server is known. A node of our own listens anywhere, since nobody
    else has to find it. Raises :class:`Hindrance`, ``StoreUnavailable``.
    """
    home = Home(settings.headwater_home)
    if not settings.eventstoredb_uri and (running := home.running()):
        known = {"eventstoredb_uri": running.eventstoredb_uri, "postgres_uri": running.postgres_uri}
        settings = settings.model_copy(update=known)
    if settings.eventstoredb_uri and settings.postgres_uri:
        async with _both_sides(settings) as container:
            yield container
        return
    if settings.eventstoredb_uri:
        async with _write_side(settings) as container:
            yield container
        return
    with home.claimed():
        anywhere = settings.model_copy(update={"eventstoredb_port": 0})
        async with _event_store_for(anywhere) as reachable, _write_side(reachable) as container:
            yield container


@asynccontextmanager
async def service_at_hand(settings: Settings) -> AsyncIterator[Container]:
    """Both sides, for a command that looks at a service or works beside it.

    On the servers that are set, else on those of the service that runs in the home, else on
    servers of our own over what it left there. Raises :class:`Hindrance`, ``StoreUnavailable``.
    """
    home = Home(settings.headwater_home)
    if running := home.running():
        settings = settings.model_copy(
            update={
                "eventstoredb_uri": settings.eventstoredb_uri or running.eventstoredb_uri,
                "postgres_uri": settings.postgres_uri or running.postgres_uri,
            }
        )
    if settings.eventstoredb_uri and settings.postgres_uri:
        async with _both_sides(settings) as container:
            yield container
        return
    if not settings.headwater_home.is_dir():
        raise Hindrance(
            f"there is nothing in {settings.headwater_home} yet: start `headwater run` first, "
            "or set EVENTSTOREDB_URI and POSTGRES_URI"
        )
    with home.claimed():
        anywhere = settings.model_copy(update={"eventstoredb_port": 0})
        async with servers_for(anywhere) as complete, _both_sides(complete) as container:
            yield container


@asynccontextmanager
async def _both_sides(settings: Settings) -> AsyncIterator[Container]:
    container = Container(settings=settings)
    async with connected(container):
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
