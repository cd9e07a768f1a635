"""All the wiring, and the only importer of dependency-injector.

Everything here is built without waiting. What has to be awaited (the connections) is opened by
:func:`opened` and handed in, so that no provider ever answers with a future.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from dependency_injector import containers, providers

from application.claim_check import ClaimCheck
from application.projections.order_summary import order_summary
from application.projections.runner import ProjectionRunner
from application.projections.stock_levels import stock_levels
from infrastructure import eventstoredb, filesystem, memory, postgres
from infrastructure.metrics import MeasuredDispatch, MeasuredEventStore, Metrics
from infrastructure.settings import Settings

log = structlog.stdlib.get_logger("headwater.wiring")


class Container(containers.DeclarativeContainer):
    """The service as it runs: EventStoreDB, PostgreSQL, a directory for payloads."""

    settings = providers.Dependency(instance_of=Settings)
    metrics = providers.Singleton(Metrics)

    # the technologies
    needs_servers = providers.Object(True)
    client = providers.Dependency(instance_of=eventstoredb.Client)  # once it is opened
    pool = providers.Dependency(instance_of=postgres.Pool)  # once it is opened
    streams = providers.Singleton(eventstoredb.EventStore, client)
    subscriptions = providers.Singleton(eventstoredb.Subscriptions, client)
    payloads = providers.Singleton(filesystem.PayloadStore, settings.provided.payloads)
    order_views = providers.Singleton(postgres.Views, pool, providers.Object(order_summary))
    stock_views = providers.Singleton(postgres.Views, pool, providers.Object(stock_levels))

    # the write side
    event_store = providers.Singleton(
        ClaimCheck, providers.Singleton(MeasuredEventStore, streams, metrics), payloads
    )
    dispatch = providers.Singleton(MeasuredDispatch, event_store, metrics)

    # the read side
    order_runner = providers.Singleton(
        ProjectionRunner, providers.Object(order_summary), subscriptions, order_views, payloads
    )
    stock_runner = providers.Singleton(
        ProjectionRunner, providers.Object(stock_levels), subscriptions, stock_views, payloads
    )
    runners = providers.List(order_runner, stock_runner)


def in_memory(settings: Settings) -> Container:
    """The same service without any server: every port in memory, gone with the process."""
    container = Container(settings=settings)
    container.needs_servers.override(providers.Object(False))
    container.streams.override(providers.Singleton(memory.EventStore))
    container.subscriptions.override(providers.Singleton(memory.Subscriptions, container.streams))
    container.payloads.override(providers.Singleton(memory.PayloadStore))
    for views, projection in (
        (container.order_views, order_summary),
        (container.stock_views, stock_levels),
    ):
        views.override(providers.Singleton(memory.Views, providers.Object(projection)))
    return container


@asynccontextmanager
async def opened(container: Container) -> AsyncIterator[None]:
    """Open what the service needs, and close it in the end. Raises ``StoreUnavailable``."""
    container.metrics().watch(container.runners)
    if not container.needs_servers():
        yield
        return
    settings = container.settings()
    assert settings.postgres_uri is not None  # whoever serves has seen to it
    async with write_side_opened(container), postgres.pool(settings.postgres_uri) as pool:
        await _switch_on_system_projections(container.client())
        container.pool.override(providers.Object(pool))
        await container.order_views().prepare()
        await container.stock_views().prepare()
        yield


@asynccontextmanager
async def write_side_opened(container: Container) -> AsyncIterator[None]:
    """Open what commands and streams need, no more. Raises ``StoreUnavailable``."""
    settings = container.settings()
    assert settings.eventstoredb_uri is not None  # whoever opens it has seen to it
    client = await eventstoredb.connect(settings.eventstoredb_uri)
    container.client.override(providers.Object(client))
    try:
        yield
    finally:
        await client.close()


async def _switch_on_system_projections(client: eventstoredb.Client) -> None:
    try:
        await eventstoredb.enable_system_projections(client)
    except Exception as error:  # whatever it is: nothing but browsing ($ce-order) needs them
        log.warning("system projections cannot be switched on", reason=repr(error))
