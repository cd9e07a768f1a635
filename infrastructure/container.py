"""All the wiring, and the only importer of dependency-injector.

Everything here is built without waiting. What has to be awaited (the connections) is opened by
:func:`opened` and handed in, so that no provider ever answers with a future.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, assert_never

import structlog
from dependency_injector import containers, providers

from application.backpressure import Backpressure
from application.claim_check import ClaimCheck
from application.consistency import Consistency
from application.consuming import GroupConsumer
from application.log_end import LogEnd
from application.parking_lot import ParkingLot
from application.ports import ConsumerGroups, EventStore, PayloadStore
from application.projections.deploying import Deploy
from application.projections.hosting import ProjectionHost
from application.projections.lag import Lags
from application.projections.operating import Operations
from application.projections.projection import Projection
from application.projections.staleness import Staleness
from application.reactions import Tools
from application.sagas.deadlines import Deadlines
from application.sagas.engine import SagaEngine
from application.sagas.performing import Performer
from application.service import Service
from application.shop import simulation
from application.shop.ports import Outside
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.sagas.outside_calls import outside_calls
from application.shop.service import SHOP
from application.shop.warehouse import Warehouse
from application.writability import Writability
from infrastructure import eventstoredb, filesystem, memory, postgres
from infrastructure.metrics import MeasuredDispatch, MeasuredEventStore, Metrics
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.shop import memory as shop_memory
from infrastructure.shop import providers as shop_providers
from infrastructure.shop.settings import ShopSettings
from infrastructure.working import Working

log = structlog.stdlib.get_logger("headwater.wiring")


FULFILMENT: Final = order_fulfilment.name
_SWITCHED_ON_WITHIN: Final = 10.0  # seconds: a server whose projections just start may not answer

REMEMBER: Final = 1000
"""Streams that a process need not read again when the next command for them comes."""


def _now() -> datetime:
    return datetime.now(UTC)


def _consistent(service: Service[Any], inline: Collection[str]) -> Sequence[Projection[Any]]:
    """The declared read models, those named here inline."""
    return [
        replace(one, consistency="inline") if one.name in inline else one
        for one in service.read_models
    ]


def _reactions(
    service: Service[Any],
    tools: Tools[Any],
    groups: ConsumerGroups,
    store: EventStore,
    payloads: PayloadStore,
) -> Mapping[str, GroupConsumer]:
    """What handles each reaction's events, by the name of its consumer group."""
    return {
        one.name: GroupConsumer(
            one.name,
            one.events,
            one.handler(tools),
            groups,
            store,
            payloads,
            ParkingLot(store, one.name),
        )
        for one in service.reactions
    }


class Container(containers.DeclarativeContainer):
    """The service as it runs: EventStoreDB, PostgreSQL, a directory for payloads."""

    settings = providers.Dependency(instance_of=Settings)
    service = providers.Object(SHOP)
    catalogue = service.provided.catalogue
    metrics = providers.Singleton(Metrics)
    saga_metrics = metrics.provided.sagas  # what an engine tells

    # the technologies
    needs_servers = providers.Object(True)
    knows_read_side = providers.Object(False)  # true once it is opened
    client = providers.Dependency(instance_of=eventstoredb.Client)  # once it is opened
    pool = providers.Dependency(instance_of=postgres.Pool)  # once it is opened
    events_pool = providers.Dependency(instance_of=postgres.Pool)  # once it is opened
    wake_up = providers.Dependency(instance_of=postgres.WakeUp)  # once it is opened
    horizon = providers.Dependency(instance_of=postgres.Horizon)  # where events are in PostgreSQL
    streams = providers.Singleton(eventstoredb.EventStore, client, catalogue)
    subscriptions = providers.Singleton(eventstoredb.Subscriptions, client, catalogue)
    consumer_groups = providers.Singleton(
        eventstoredb.ConsumerGroups, client, catalogue, tell=metrics.provided.groups.gone
    )
    category_links = providers.Factory(eventstoredb.CategoryLinks, client)
    outside = providers.Dependency(instance_of=Outside)  # once it is opened
    payment_provider = outside.provided.payment_provider
    carrier = outside.provided.carrier
    books = outside.provided.audit
    payloads = providers.Singleton(filesystem.PayloadStore, settings.provided.payloads)
    builds = providers.Singleton(postgres.Builds, pool)
    projections = providers.Singleton(_consistent, service, settings.provided.inline_projections)
    one_database = providers.Object(False)  # true where events and views can share a transaction
    read_models = providers.Singleton(postgres.ReadModels, pool, projections, builds)

    # the write side
    writability = providers.Singleton(
        Writability,
        providers.Singleton(MeasuredEventStore, streams, metrics),
        holder=socket.gethostname(),
    )
    log_end = providers.Singleton(LogEnd, subscriptions, writability)
    event_store = providers.Singleton(ClaimCheck, writability, payloads)
    dispatch = providers.Singleton(
        MeasuredDispatch, event_store, catalogue, metrics, remember=REMEMBER
    )

    # what reacts to events
    clock = providers.Object(_now)
    parking = providers.Factory(ParkingLot, event_store)  # of the group that is named
    lots = providers.Singleton(
        lambda store, service: [ParkingLot(store, group) for group in service.groups],
        event_store,
        service,
    )
    tools = providers.Singleton(Tools, event_store, dispatch, clock, outside)
    reactions = providers.Singleton(
        _reactions, service, tools, consumer_groups, event_store, payloads
    )
    warehouse = providers.Singleton(Warehouse, dispatch, carrier)

    fulfilment_engine = providers.Singleton(
        SagaEngine,
        service.provided.sagas,
        catalogue.provided.own,
        event_store,
        providers.Singleton(Performer, dispatch, providers.Callable(outside_calls, outside)),
        observe=saga_metrics,
    )
    fulfilment = providers.Factory(  # a worker
        GroupConsumer,
        FULFILMENT,
        fulfilment_engine.provided.events,
        fulfilment_engine.provided.handle,
        consumer_groups,
        event_store,
        payloads,
        providers.Singleton(ParkingLot, event_store, FULFILMENT),
    )
    deadlines = providers.Factory(Deadlines, FULFILMENT, event_store, subscriptions, log_end)
    warehouse_staff = providers.Factory(  # of a simulation: elsewhere people do it
        GroupConsumer,
        simulation.warehouse.GROUP,
        simulation.warehouse.EVENTS,
        providers.Singleton(simulation.Staff, warehouse, clock).provided.handle,
        consumer_groups,
        event_store,
        payloads,
        providers.Singleton(ParkingLot, event_store, simulation.warehouse.GROUP),
    )

    # the read side
    tick = providers.Object(0.5)  # seconds between two looks at the books
    host = providers.Factory(
        ProjectionHost,
        projections=projections,
        subscriptions=subscriptions,
        read_models=read_models,
        builds=builds,
        payloads=payloads,
        holder=f"{socket.gethostname()}:{os.getpid()}",
        log_end=log_end,
        tick=tick,
    )
    deploy = providers.Factory(Deploy, builds=builds, read_models=read_models, store=subscriptions)
    operations = providers.Singleton(Operations, projections, builds)
    lags = providers.Singleton(Lags, projections, builds, subscriptions, fresh_for=tick)
    staleness = providers.Singleton(Staleness)
    working = providers.Singleton(Working)
    backpressure = providers.Singleton(
        Backpressure,
        slow=settings.provided.backpressure_slow_seconds,
        refuse=settings.provided.backpressure_refuse_seconds,
    )
    consistency = providers.Singleton(
        Consistency,
        subscriptions,
        read_models,
        providers.Singleton(lambda of: {one.name for one in of.categories}, catalogue),
        log_end,
        patience=settings.provided.consistency_wait_seconds,
    )


def wired(settings: Settings) -> Container:
    """The service over the event store that these settings name."""
    match settings.event_store:
        case "eventstoredb":
            return Container(settings=settings)
        case "postgres":
            return in_postgres(settings)
        case _:
            assert_never(settings.event_store)


def in_postgres(settings: Settings) -> Container:
    """The same service with its events in PostgreSQL, in one database with the read models."""
    container = Container(settings=settings)
    container.one_database.override(providers.Object(True))
    container.horizon.override(providers.Singleton(postgres.Horizon, container.events_pool))
    container.streams.override(
        providers.Singleton(
            postgres.EventStore,
            container.events_pool,
            container.catalogue,
            providers.Singleton(
                postgres.GroupCommit,
                container.events_pool,
                providers.Singleton(
                    postgres.InlineCommit,
                    container.projections,
                    container.payloads,
                    container.catalogue,
                ),
                tell=container.metrics.provided.event_store.committed,
            ),
        )
    )
    container.subscriptions.override(
        providers.Singleton(
            postgres.Subscriptions,
            container.events_pool,
            container.wake_up,
            container.horizon,
            container.catalogue,
        )
    )
    container.consumer_groups.override(
        providers.Singleton(
            postgres.ConsumerGroups, container.pool, container.wake_up, container.catalogue
        )
    )
    return container


def in_memory(settings: Settings) -> Container:
    """The same service without any server: every port in memory, gone with the process."""
    container = Container(settings=settings)
    container.needs_servers.override(providers.Object(False))
    container.streams.override(providers.Singleton(memory.EventStore, container.catalogue))
    container.subscriptions.override(providers.Singleton(memory.Subscriptions, container.streams))
    container.consumer_groups.override(
        providers.Singleton(memory.ConsumerGroups, container.streams)
    )
    container.outside.override(providers.Singleton(shop_memory.outside))
    container.payloads.override(providers.Singleton(memory.PayloadStore))
    container.tick.override(providers.Object(0.01))  # a look at memory costs nothing
    container.builds.override(providers.Singleton(memory.Builds))
    container.read_models.override(
        providers.Singleton(memory.ReadModels, container.projections, container.builds)
    )
    return container


def require_consistency(container: Container) -> None:
    """Raises :class:`InvalidSettings` where this wiring cannot keep a read model inline."""
    settings = container.settings()
    setting = settings.name_of("inline_projections")
    try:
        declared: Sequence[Projection[Any]] = container.projections()
    except ValueError as error:
        raise InvalidSettings(f"{setting}: {error}") from error
    names = [projection.name for projection in declared]
    if unknown := sorted(set(settings.inline_projections) - set(names)):
        raise InvalidSettings(
            f"{setting}: there is no {', '.join(unknown)}, but {', '.join(names)}"
        )
    inline = sorted(one.name for one in declared if one.consistency == "inline")
    if inline and not container.one_database():
        raise InvalidSettings(
            f"{setting}: {', '.join(inline)} cannot be written in the transaction of the "
            "append, since events and views are not in one PostgreSQL, and two stores share no "
            f"transaction: set {settings.name_of('event_store')}=postgres, or leave it out and "
            "send the Consistency-Token with questions that have to see a write"
        )


@asynccontextmanager
async def opened(container: Container) -> AsyncIterator[None]:
    """Open what the service needs, and close it in the end.

    Raises ``StoreUnavailable``, and :class:`InvalidSettings` for what it cannot do.
    """
    require_consistency(container)
    async with connected(container), outside_opened(container):
        if container.needs_servers() and not container.one_database():
            await _switch_on_system_projections(container.client())
        await container.builds().register(container.projections())
        yield


@asynccontextmanager
async def connected(container: Container) -> AsyncIterator[None]:
    """Open connections to both sides and no more.

    Raises ``StoreUnavailable``, and :class:`InvalidSettings` when they do not belong together.
    """
    if not container.needs_servers():
        yield
        return
    async with _views_opened(container), _events_opened(container):  # which migrates first
        yield


@asynccontextmanager
async def write_side_opened(container: Container) -> AsyncIterator[None]:
    """Open what commands and streams need, no more: both sides, where they are in one database.

    Raises ``StoreUnavailable``.
    """
    if container.one_database():
        async with connected(container):
            yield
        return
    async with _events_opened(container):
        yield


@contextmanager
def _usable_address(settings: Settings, field: str) -> Iterator[None]:
    """Raises :class:`InvalidSettings` for an address that no driver can read."""
    try:
        yield
    except ValueError as error:
        raise InvalidSettings(f"{settings.name_of(field)}: {error}") from None


@asynccontextmanager
async def _events_opened(container: Container) -> AsyncIterator[None]:
    settings = container.settings()
    assert settings.events_uri is not None  # whoever opens it has seen to it
    if container.one_database():
        async with (
            postgres.durable_pool(settings.events_uri) as pool,
            postgres.wake_up(settings.events_uri) as wake_up,
        ):
            container.events_pool.override(providers.Object(pool))
            container.wake_up.override(providers.Object(wake_up))
            yield
        return
    with _usable_address(settings, "eventstoredb_uri"):
        client = await eventstoredb.connect(settings.events_uri)
    container.client.override(providers.Object(client))
    try:
        yield
    finally:
        await client.close()


@asynccontextmanager
async def _views_opened(container: Container) -> AsyncIterator[None]:
    settings = container.settings()
    assert settings.postgres_uri is not None  # whoever serves has seen to it
    with _usable_address(settings, "postgres_uri"):
        unopened = postgres.pool(settings.postgres_uri)
    async with unopened as pool:
        await postgres.migrate(pool)
        await _require_one_origin(container, pool)
        container.pool.override(providers.Object(pool))
        container.knows_read_side.override(providers.Object(True))
        yield


async def _require_one_origin(container: Container, pool: postgres.Pool) -> None:
    """Raises :class:`InvalidSettings` where the read models were filled from another store."""
    name_of = container.settings().name_of
    store, database = name_of("event_store"), name_of("postgres_uri")
    if not container.one_database():
        if await postgres.has_events(pool):
            raise InvalidSettings(
                f"{store}: the database at {database} has events of its own: set "
                f"{store}=postgres, or {database} to a database for read models alone"
            )
        return
    if builds := await postgres.filled_elsewhere(pool):
        raise InvalidSettings(
            f"{store}: {', '.join(builds)} at {database} have seen more events than there "
            f"are here, so they come from another store: set {store}=eventstoredb, or "
            f"{database} to an empty database"
        )


async def migrate(settings: Settings) -> Sequence[str]:
    """Bring the tables at ``postgres_uri`` up to date; the names of the migrations applied now.

    After that a service finds all tables that it needs, and its role need not be able to make any.
    Raises ``StoreUnavailable``.
    """
    container = wired(settings)
    assert settings.postgres_uri is not None  # whoever migrates has seen to it
    with _usable_address(settings, "postgres_uri"):
        unopened = postgres.pool(settings.postgres_uri)
    async with unopened as pool:
        applied = await postgres.migrate(pool)
        container.pool.override(providers.Object(pool))
        await container.builds().register(container.projections())
        declared: Sequence[Projection[Any]] = container.projections()
        for projection in declared:
            for standing in await container.builds().standings(projection.name):
                if standing.build.version == projection.version:
                    await container.read_models().of(projection, standing.build).prepare()
        return applied


@asynccontextmanager
async def outside_opened(container: Container, patience: float = 10.0) -> AsyncIterator[None]:
    """Open the connections to the providers outside; whether they answer is not asked.

    A call is given up after ``patience`` seconds.
    """
    settings = container.settings()
    if not container.needs_servers():
        yield
        return
    assert isinstance(settings, ShopSettings)
    assert settings.payment_provider_uri is not None  # whoever serves has seen to it
    assert settings.carrier_uri is not None
    uris = settings.payment_provider_uri, settings.carrier_uri
    async with shop_providers.outside(*uris, patience=patience) as outside:
        container.outside.override(providers.Object(outside))
        yield


async def _switch_on_system_projections(client: eventstoredb.Client) -> None:
    """The one that consumer groups need is switched on by them, too, for as long as it takes."""
    try:
        async with asyncio.timeout(_SWITCHED_ON_WITHIN):
            await eventstoredb.enable_system_projections(client)
    except Exception as error:  # whatever it is: the service starts, and readiness tells
        log.warning("system projections cannot be switched on", reason=repr(error))
