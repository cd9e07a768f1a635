"""All the wiring, and the only importer of dependency-injector.

Everything here is built without awaiting. What has to be awaited (the connections) is opened by
:mod:`infrastructure.connecting` and handed in, so that no provider returns a future.
"""

import os
import socket
from collections.abc import Callable, Collection
from contextlib import (
    nullcontext,
)
from typing import Any, Final

from application.backpressure import Backpressure
from application.browsing.places import Looking
from application.claim_check import ClaimCheck
from application.consistency import Consistency
from application.log_end import LogEnd
from application.operating.carrying_out import Operating
from application.parking_stream import ParkingStream
from application.personal.exporting import Exporting
from application.personal.forgetting import SETTLED
from application.personal.keyring import Keyring
from application.personal.published import PublishedPersonalData  # only: bus
from application.personal.traces import Traces
from application.ports import Builds
from application.projections.deploying import Deploy
from application.projections.hosting import ProjectionHost
from application.projections.lag import Lags
from application.projections.operating import Operations
from application.projections.staleness import Staleness
from application.reactions import Tools
from application.sagas.performing import Performer
from application.writability import Writability
from infrastructure.exposition import Exposition
from infrastructure.forgetting import forgetting as forgetting_over
from infrastructure.health import Health
from infrastructure.identity import callers
from infrastructure.keys import NOT_OPENED
from infrastructure.keys import key_side as opens_keys
from infrastructure.metrics import MeasuredDispatch, MeasuredEventStore, Metrics
from infrastructure.opening import as_if_without, imported, opener
from infrastructure.operator_tools import operator_tools
from infrastructure.other_engines import (  # only: temporal
    elsewhere,  # only: temporal
    engine_work,  # only: temporal
    with_others,  # only: temporal
)  # only: temporal
from infrastructure.parts import (
    consistent,
    counting,
    forwarder,  # only: bus
    now,
    parking_streams,
    personal_data,
    protected_catalogue,
    protected_store,
    reactions,
    receivers,  # only: bus
)
from infrastructure.payload_stores import payload_places, payload_stores
from infrastructure.personal_places import places
from infrastructure.program import (
    Deployment,  # only: bus
    Program,
)
from infrastructure.roles import ALL, Role, append_moment
from infrastructure.saga_engines import (
    deadlines,
    engines,
    saga_workers,
)
from infrastructure.searching import apart, beside, names, read_side  # only: search
from infrastructure.settings import Settings
from infrastructure.sides import (
    EventSide,
    EventTables,  # only: dynamodb
    Given,
    ReadSide,
    nothing,  # only: bus
)
from infrastructure.working import Working

# It offers to inject into their functions and to read their settings, which nothing here uses;
# importing them would cost every command 0.2 s of processor.
with as_if_without("fastapi", "starlette", "werkzeug", "fast_depends", "pydantic_settings", "yaml"):
    from dependency_injector import containers, providers

REMEMBER: Final = 1000
"""The number of streams that a process keeps in memory between commands."""

PATIENCE: Final = 10.0  # seconds after which a call to a provider is given up


PARTS: Final = {
    "read_side": "open_views",  # first: it migrates
    "event_side": "open_events",
    "key_side": "open_keys",  # the events of persons cannot be read without
    "outside": "open_outside",
    "saga_side": "open_sagas",  # only: temporal
}
"""What can be opened, by the parts that open it, in this order."""


def _opens(technology: str, side: str, *given: providers.Provider[Any]) -> providers.Callable[Any]:
    """Opens one side on a technology. Calling it imports the driver."""
    return providers.Callable(opener(technology, side), *given)


def _opens_payloads(
    technology: str, settings: providers.Provider[Settings]
) -> providers.Singleton[Any]:
    """A payload store on a technology."""
    return providers.Singleton(opener(technology, "payload_store"), settings)


def _builds_if_open(side: providers.Dependency[ReadSide]) -> Callable[[], Builds | None]:
    """Finds the builds, for a process that may have opened no read models."""
    return lambda: side().builds if side.is_defined else None


class Container(containers.DeclarativeContainer):
    """A service as it runs, over the technologies that its settings name."""

    program = providers.Dependency(instance_of=Program)
    settings = providers.Dependency(instance_of=Settings)
    roles: providers.Provider[Collection[Role]] = providers.Object(ALL)  # of this process
    service = program.provided.service
    key_side: providers.Dependency[Any] = providers.Dependency(default=providers.Object(NOT_OPENED))
    keyring = providers.Singleton(Keyring, key_side.provider)
    personal_data = providers.Singleton(personal_data, service, keyring)
    catalogue = providers.Singleton(protected_catalogue, service, personal_data)
    metrics = providers.Singleton(Metrics)
    saga_metrics = metrics.provided.sagas  # observes what engines do
    payload_store = providers.Selector(
        settings.provided.payloads_in,
        directory=_opens_payloads("filesystem", settings),
        s3=_opens_payloads("s3", settings),  # only: s3
    )
    payload_stores = providers.Singleton(payload_stores, settings, payload_store)
    payloads = providers.Singleton(payload_places, payload_stores)
    projections = providers.Singleton(
        consistent,
        service,
        settings.provided.inline_projections,  # only: postgres_events
    )
    others: providers.Provider[Any] = projections
    # only: search
    apart = providers.Singleton(apart, projections, settings.provided.search)
    others = providers.Singleton(beside, others, apart)
    # end: search
    given = providers.Singleton(
        Given,
        settings,
        catalogue,
        others,
        payloads,
        metrics,
        providers.Callable(append_moment, roles),
    )

    # the technologies: one line each
    open_events = providers.Selector(
        settings.provided.event_store,
        eventstoredb=_opens("eventstoredb", "event_side", given),  # only: eventstoredb
        postgres=_opens("postgres.events", "event_side", given),  # only: postgres_events
        dynamodb=_opens("dynamodb.events", "event_side", given),  # only: dynamodb_events
    )
    # only: dynamodb
    event_tables = providers.Selector(
        settings.provided.tables_in,
        elsewhere=providers.Object(EventTables()),
        dynamodb=_opens("dynamodb", "event_tables", settings),
    )
    # end: dynamodb
    open_views: providers.Provider[Any] = providers.Selector(
        settings.provided.read_models,
        postgres=_opens("postgres", "read_side", given),  # only: postgres_views
        dynamodb=_opens("dynamodb.read_models", "read_side", given),  # only: dynamodb_views
    )
    open_keys = providers.Callable(
        opens_keys,
        service,
        settings,
        providers.Selector(
            settings.provided.read_models,
            postgres=_opens("postgres", "key_store", settings),  # only: postgres_views
            dynamodb=_opens("dynamodb.read_models", "key_store", settings),  # only: dynamodb_views
        ).provider,
    )
    # only: search
    open_search = providers.Selector(
        settings.provided.search,
        database=providers.Callable(nullcontext),
        opensearch=_opens("opensearch", "search_side", settings),  # only: opensearch
        algolia=_opens("algolia", "search_side", settings),  # only: algolia
    )
    open_views = providers.Callable(read_side, open_views, apart, open_search.provider)
    # end: search
    # only: bus
    incoming_records = providers.Selector(  # of other parties
        settings.provided.bus,
        none=providers.Object(None),
        kafka=providers.Singleton(opener("kafka", "incoming_records"), settings),
    )
    bus = providers.Selector(
        settings.provided.bus,
        none=providers.Object(None),
        kafka=providers.Singleton(opener("kafka", "bus"), settings, service),
    )
    bus_admission = providers.Selector(  # raises where waiting would not help
        settings.provided.bus,
        none=providers.Callable(nothing),
        kafka=_opens("kafka", "require_admission", settings),
    )
    # end: bus
    # only: temporal
    open_sagas = providers.Selector(
        settings.provided.other_engine,
        none=providers.Callable(nullcontext),
        temporal=_opens("temporal", "saga_side", settings, service, payloads, key_side),
    )
    # end: temporal
    open_outside = providers.Callable(
        lambda program, settings, patience=PATIENCE: program.outside(settings, patience),
        program,
        settings,
    )

    # what they bring, once they are opened
    event_side = providers.Dependency(instance_of=EventSide)
    read_side = providers.Dependency(instance_of=ReadSide)
    outside: providers.Dependency[Any] = providers.Dependency()
    # only: temporal
    saga_side: providers.Dependency[Any] = providers.Dependency(
        default=providers.Object(None)  # where the event store alone drives them
    )
    # end: temporal
    streams = event_side.provided.streams
    subscriptions = event_side.provided.log
    consumer_groups = event_side.provided.groups
    event_browser = event_side.provided.browser
    read_models = read_side.provided.read_models
    builds = read_side.provided.builds
    checkpoints = read_side.provided.checkpoints

    # of this process
    holder = providers.Object(f"{socket.gethostname()}:{os.getpid()}")

    # the write side
    writability = providers.Singleton(
        Writability,
        providers.Singleton(MeasuredEventStore, streams, metrics),
        holder=socket.gethostname(),
    )
    log_end = providers.Singleton(LogEnd, subscriptions, writability)
    event_store = providers.Singleton(
        protected_store, providers.Singleton(ClaimCheck, writability, payloads), personal_data
    )
    callers = providers.Singleton(callers, settings, event_store.provider)
    dispatch = providers.Singleton(
        MeasuredDispatch, event_store, catalogue, metrics, remember=REMEMBER
    )

    # what reacts to events
    clock = providers.Object(now)
    parking = providers.Factory(ParkingStream, event_store)  # of the group that is named
    parking_streams = providers.Singleton(parking_streams, service, event_store)
    tools = providers.Singleton(Tools, event_store, dispatch, clock, outside)
    reactions = providers.Singleton(
        reactions, service, tools, consumer_groups, event_store, payloads
    )
    # only: bus
    published = providers.Singleton(PublishedPersonalData, service.provided.contract, keyring)
    receivers = providers.Singleton(
        receivers,
        service,
        incoming_records,
        dispatch,
        event_store,
        consumer_groups,
        payloads,
        metrics,
        published,
    )
    # end: bus
    performer = providers.Singleton(
        lambda service, dispatch, outside: Performer(dispatch, service.outside_calls(outside)),
        service,
        dispatch,
        outside,
    )
    elsewhere = providers.Singleton(elsewhere, service, settings)  # only: temporal
    engines = providers.Singleton(
        engines,
        service,
        event_store,
        performer,
        saga_metrics,
    )
    # only: temporal
    engines = providers.Singleton(with_others, engines, service, elsewhere, event_store, saga_side)
    engine_work = providers.Callable(
        engine_work, service, event_store, performer, saga_metrics, elsewhere, saga_side
    )
    # end: temporal
    saga_workers = providers.Factory(  # any number of each
        saga_workers, engines, consumer_groups, event_store, payloads
    )
    deadlines = providers.Factory(
        deadlines,
        service,
        event_store,
        subscriptions,
        log_end,
        elsewhere,  # only: temporal
    )
    # only: bus
    forwarder = providers.Singleton(
        forwarder,
        service,
        bus,
        subscriptions,
        streams,
        payloads,
        read_side.provided.leases,
        log_end,
        metrics.provided.forwarder,
        holder,
        published,
    )
    # end: bus

    # the read side
    tick = providers.Object(0.5)  # seconds between two looks at the builds
    host = providers.Factory(
        ProjectionHost,
        projections=projections,
        subscriptions=subscriptions,
        read_models=read_models,
        builds=builds,
        payloads=payloads,
        holder=holder,
        log_end=log_end,
        tick=tick,
    )
    deploy = providers.Factory(Deploy, builds=builds, read_models=read_models, store=subscriptions)
    operations = providers.Singleton(Operations, projections, builds, read_models)
    lags = providers.Singleton(Lags, projections, builds, subscriptions.provider, fresh_for=tick)
    staleness = providers.Singleton(Staleness)
    consistency = providers.Singleton(
        Consistency,
        subscriptions,
        read_models,
        catalogue.provided.names,
        log_end,
        patience=settings.provided.consistency_wait_seconds,
    )

    # what operators do
    settled = providers.Object(SETTLED)
    operator_tools = providers.Singleton(
        operator_tools,
        service,
        operations.provider,
        host.provider,
        deploy.provider,
        # only: search
        providers.Callable(lambda side: side.apart.follow(), read_side).provider,
        # end: search
        subscriptions.provider,
        parking.provider,
        event_store.provider,
        dispatch.provider,
        providers.Callable(
            forgetting_over,
            settled,
            service.provided.encrypted,
            keyring,
            key_side.provider,
            subscriptions.provider,
            event_browser.provider,
            payloads.provider,
            event_store.provider,
            dispatch.provider,
            projections.provider,
            operations.provider,
        ),
    )
    forgetting = providers.Callable(lambda tools: tools.forgetting(), operator_tools)
    operating = providers.Singleton(Operating, dispatch.provider, operator_tools)
    exporting = providers.Factory(
        Exporting,
        service.provided.name,
        service.provided.of_persons,
        event_store.provider,
        subscriptions.provider,
        payloads.provider,
    )
    # only: bus or temporal
    copies = providers.List(
        # in systems of others
        # only: bus
        providers.Selector(
            settings.provided.bus,
            none=providers.Object(None),
            kafka=_opens("kafka", "copies", settings, service),
        ),
        # end: bus
        # only: temporal
        providers.Selector(
            settings.provided.histories_in,
            none=providers.Object(None),
            temporal=_opens("temporal", "copies", settings, service),
        ),
        # end: temporal
    )
    # end: bus or temporal
    traces = providers.Factory(
        Traces,
        providers.Callable(
            places,
            service,
            key_side.provider,
            subscriptions.provider,
            payload_stores.provider,
            payloads.provider,
            builds.provider,
            read_models.provider,
            copies,  # only: bus or temporal
        ).provider,
    )

    # what people ask
    looking = providers.Singleton(
        Looking,
        service,
        event_browser,
        payloads,
        providers.Callable(_builds_if_open, read_side.provider),
        bus,  # only: bus
    )

    # what the edges use
    working = providers.Singleton(Working)
    backpressure = providers.Singleton(
        Backpressure,
        slow=settings.provided.backpressure_slow_seconds,
        refuse=settings.provided.backpressure_refuse_seconds,
        apart=providers.Callable(names, apart),  # only: search
    )
    health = providers.Singleton(
        Health,
        roles,
        writability,
        subscriptions,
        backpressure,
        consumer_groups,
        payloads,
        working,
        builds,
        lags,
        staleness,
        providers.Callable(
            lambda program, outside: program.outside_checks(outside), program, outside
        ).provider,
        read_side.provided.apart,  # only: search
        receivers.provider,  # only: bus
        forwarder.provider,  # only: bus
        saga_side.provider,  # only: temporal
    )
    counts_events = providers.Callable(counting, roles, event_side)
    exposition = providers.Singleton(
        Exposition,
        roles,
        counts_events,
        metrics,
        lags,
        staleness,
        parking_streams,
        receivers.provider,  # only: bus
        # only: bus
        providers.Callable(
            lambda program, settings: Deployment(program, settings).forwards, program, settings
        ),
        # end: bus
    )
    served = providers.Singleton(
        imported("infrastructure.http.served", "Served"),
        program,
        settings,
        dispatch,
        event_store,
        consistency,
        backpressure,
        lags,
        health,
        exposition,
        outside,
        callers,
        operating,
        operations,
        builds,
        read_models,
        subscriptions,
        consumer_groups,
        event_browser,
        looking,
        payloads,
        parking.provider,
        bus.provider,  # only: bus
    )


def wired(program: Program[Any], settings: Settings, roles: Collection[Role] = ALL) -> Container:
    """A process with these roles over the technologies that the settings name, not opened yet."""
    return Container(program=program, settings=settings, roles=roles)


def in_memory(program: Program[Any], settings: Settings) -> Container:
    """The same service with every port in memory, gone with the process.

    It needs no server for a port.
    """
    from infrastructure import memory

    container = wired(program, settings)
    container.payload_store.override(providers.Singleton(memory.PayloadStore))
    container.event_side.override(providers.Singleton(memory.event_side, container.given))
    container.read_side.override(providers.Singleton(memory.read_side, container.given))
    container.key_side.override(providers.Singleton(memory.KeyStore))
    container.outside.override(providers.Singleton(program.outside_in_memory))
    # only: bus
    if settings.bus != "none":
        container.bus_admission.override(providers.Callable(nothing))
        container.incoming_records.override(providers.Singleton(memory.IncomingRecords))
        topics = program.service.contract.topics
        container.bus.override(providers.Singleton(memory.Bus, topics))
    # end: bus
    container.tick.override(providers.Object(0.01))  # in memory, looking is cheap
    for part, open in PARTS.items():
        # only: temporal
        if part == "saga_side":
            continue  # another engine has no double: it is opened as the settings say
        # end: temporal
        there = providers.Callable(nullcontext, getattr(container, part))
        getattr(container, open).override(there)
    return container
