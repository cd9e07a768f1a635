"""Servers of our own for what is not configured, started and stopped with what needs them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from infrastructure.container import Container, connected, wired, write_side_opened
from infrastructure.embedded.postgres import EmbeddedPostgres, PostgresFailed
from infrastructure.processes import Hindrance
from infrastructure.processes.embedded_node import embedded_node, require_node
from infrastructure.processes.home import Home
from infrastructure.processes.supervising import kept_running
from infrastructure.settings import Settings


@asynccontextmanager
async def servers_for(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with servers for events and for read models in them: one may do for both.

    Raises :class:`Hindrance`.
    """
    settings = Home(settings).understood(settings)
    async with _event_store_for(settings) as with_events, _postgres_for(with_events) as complete:
        yield complete


@asynccontextmanager
async def providers_for(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with a payment provider and a carrier in them. Raises :class:`Hindrance`.

    Those of the service that runs in the home, if one does, where none are set. Those that are
    simulated keep their books there.
    """
    if running := Home(settings).running():
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
    require_node("the simulated providers")
    from infrastructure.providers.simulated.process import SimulationFailed
    from infrastructure.shop.simulated_providers import SimulatedProviders

    books = settings.home.absolute() / "providers" / "books.sqlite3"
    try:
        async with (
            SimulatedProviders(books) as simulated,
            kept_running("the simulated providers", simulated),
        ):
            payments = settings.payment_provider_uri or simulated.payment_provider_uri
            parcels = settings.carrier_uri or simulated.carrier_uri
            yield settings.model_copy(
                update={"payment_provider_uri": payments, "carrier_uri": parcels}
            )
    except SimulationFailed as error:
        raise Hindrance(str(error)) from error


@asynccontextmanager
async def event_store_at_hand(settings: Settings) -> AsyncIterator[Container]:
    """The write side, for a command that may run beside the service and use its event store.

    The read side, too, where its server is known. A node of our own listens anywhere, since nobody
    else has to find it. Raises :class:`Hindrance`, ``StoreUnavailable``.
    """
    home = Home(settings)
    settings = home.understood(settings)
    if not settings.events_uri and (running := home.running()):
        known = {"eventstoredb_uri": running.eventstoredb_uri, "postgres_uri": running.postgres_uri}
        settings = settings.model_copy(update=known)
    if settings.events_uri and settings.postgres_uri:
        async with _both_sides(settings) as container:
            yield container
        return
    if settings.events_uri:
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
    home = Home(settings)
    settings = home.understood(settings)
    if running := home.running():
        settings = settings.model_copy(
            update={
                "eventstoredb_uri": settings.eventstoredb_uri or running.eventstoredb_uri,
                "postgres_uri": settings.postgres_uri or running.postgres_uri,
            }
        )
    if settings.events_uri and settings.postgres_uri:
        async with _both_sides(settings) as container:
            yield container
        return
    require_something(settings, *settings.servers)
    with home.claimed():
        anywhere = settings.model_copy(update={"eventstoredb_port": 0})
        async with servers_for(anywhere) as complete, _both_sides(complete) as container:
            yield container


@asynccontextmanager
async def database_at_hand(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with a PostgreSQL in them: that of a running service, or one of our own.

    Raises :class:`Hindrance`.
    """
    home = Home(settings)
    settings = home.understood(settings)
    if not settings.postgres_uri and (running := home.running()):
        settings = settings.model_copy(update={"postgres_uri": running.postgres_uri})
    if settings.postgres_uri:
        yield settings
        return
    require_something(settings, "postgres_uri")
    with home.claimed():
        async with _postgres_for(settings) as reachable:
            yield reachable


def require_something(settings: Settings, *fields: str) -> None:
    """Raises :class:`Hindrance` where no service has ever run, instead of starting an empty one.

    ``fields`` are the settings that would lead to one elsewhere.
    """
    if not settings.home.is_dir():
        raise Hindrance(
            f"there is nothing in {settings.home} yet: start `headwater run` first, "
            f"or set {_listed([settings.name_of(field) for field in fields])}"
        )


def require_events(settings: Settings, *besides: str) -> None:
    """The same, for a command that needs events and no read models."""
    if settings.events_uri is None:
        require_something(settings, settings.servers[0], *besides)


def _listed(names: Sequence[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@asynccontextmanager
async def _both_sides(settings: Settings) -> AsyncIterator[Container]:
    container = wired(settings)
    async with connected(container):
        yield container


@asynccontextmanager
async def _write_side(settings: Settings) -> AsyncIterator[Container]:
    container = wired(settings)
    async with write_side_opened(container):
        yield container


@asynccontextmanager
async def _event_store_for(settings: Settings) -> AsyncIterator[Settings]:
    if settings.event_store == "postgres":
        async with _postgres_for(settings) as reachable:
            yield reachable
        return
    if settings.eventstoredb_uri:
        yield settings
        return
    Home(settings).keep("eventstoredb")
    async with embedded_node(settings) as uri:
        yield settings.model_copy(update={"eventstoredb_uri": uri})


@asynccontextmanager
async def _postgres_for(settings: Settings) -> AsyncIterator[Settings]:
    if settings.postgres_uri:
        yield settings
        return
    if settings.event_store == "postgres":
        Home(settings).keep("postgres")
    try:
        async with (
            EmbeddedPostgres(settings.home.absolute() / "postgres") as server,
            kept_running("the embedded PostgreSQL", server),
        ):
            yield settings.model_copy(update={"postgres_uri": server.uri})
    except PostgresFailed as error:
        raise Hindrance(str(error)) from error
