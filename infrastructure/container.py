"""All the wiring, and the only importer of dependency-injector.

Everything here is built without awaiting. What has to be awaited (the connections) is opened by
:mod:`infrastructure.connecting` and handed in, so that no provider returns a future.
"""

import os
import socket
from collections.abc import Collection
from contextlib import (
    AbstractAsyncContextManager,
    nullcontext,
)
from typing import Any, Final

from application.backpressure import Backpressure
from application.claim_check import ClaimCheck
from application.consistency import Consistency
from application.log_end import LogEnd
from application.parking_stream import ParkingStream
from application.projections.deploying import Deploy
from application.projections.hosting import ProjectionHost
from application.projections.lag import Lags
from application.projections.operating import Operations
from application.projections.staleness import Staleness
from application.reactions import Tools
from application.sagas.performing import Performer
from application.writability import Writability
from infrastructure.exposition import Exposition
from infrastructure.health import Health
from infrastructure.metrics import MeasuredDispatch, MeasuredEventStore, Metrics
from infrastructure.opening import as_if_without, imported, opener
from infrastructure.parts import (
    consistent,
    counting,
    deadlines,
    engines,
    now,
    parking_streams,
    reactions,
    saga_workers,
)
from infrastructure.payload_stores import payload_places, payload_stores
from infrastructure.program import Program
from infrastructure.roles import ALL, Role
from infrastructure.searching import apart, beside, names, read_side
from infrastructure.settings import Settings
from infrastructure.sides import EventSide, Given, ReadSide
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
    "outside": "open_outside",
}
"""What can be opened, by the parts that open it, in this order."""


def _opens(
    technology: str, side: str, given: providers.Provider[Any]
) -> providers.Callable[AbstractAsyncContextManager[Any]]:
    """Opens one side on a technology. Calling it imports the driver."""
    return providers.Callable(opener(technology, side), given)


def _opens_payloads(
    technology: str, settings: providers.Provider[Settings]
) -> providers.Singleton[Any]:
    """A payload store on a technology."""
    return providers.Singleton(opener(technology, "payload_store"), settings)


class Container(containers.DeclarativeContainer):
    """A service as it runs, over the technologies that its settings name."""

    program = providers.Dependency(instance_of=Program)
    settings = providers.Dependency(instance_of=Settings)
    roles: providers.Provider[Collection[Role]] = providers.Object(ALL)  # of this process
    service = program.provided.service
    catalogue = service.provided.catalogue
    metrics = providers.Singleton(Metrics)
    saga_metrics = metrics.provided.sagas  # observes what engines do
    payload_store = providers.Selector(
        settings.provided.payload_store,
        directory=_opens_payloads("filesystem", settings),
        s3=_opens_payloads("s3", settings),
    )
    payload_stores = providers.Singleton(payload_stores, settings, payload_store)
    payloads = providers.Singleton(payload_places, payload_stores)
    projections = providers.Singleton(consistent, service, settings.provided.inline_projections)
    apart = providers.Singleton(apart, projections, settings.provided.search)  # in a search engine
    others = providers.Singleton(beside, projections, apart)
    given = providers.Singleton(Given, settings, catalogue, others, payloads, metrics)

    # the technologies: one line each
    open_events = providers.Selector(
        settings.provided.event_store,
        eventstoredb=_opens("eventstoredb", "event_side", given),
        postgres=_opens("postgres", "event_side", given),
    )
    open_search = providers.Selector(
        settings.provided.search,
        database=providers.Callable(nullcontext),
        opensearch=_opens("opensearch", "search_side", settings),
    )
    open_views = providers.Callable(
        read_side, _opens("postgres", "read_side", given), apart, open_search.provider
    )
    open_outside = providers.Callable(
        lambda program, settings, patience=PATIENCE: program.outside(settings, patience),
        program,
        settings,
    )

    # what they bring, once they are opened
    event_side = providers.Dependency(instance_of=EventSide)
    read_side = providers.Dependency(instance_of=ReadSide)
    outside: providers.Dependency[Any] = providers.Dependency()
    streams = event_side.provided.streams
    subscriptions = event_side.provided.log
    consumer_groups = event_side.provided.groups
    read_models = read_side.provided.read_models
    builds = read_side.provided.builds
    checkpoints = read_side.provided.checkpoints

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
    clock = providers.Object(now)
    parking = providers.Factory(ParkingStream, event_store)  # of the group that is named
    parking_streams = providers.Singleton(parking_streams, service, event_store)
    tools = providers.Singleton(Tools, event_store, dispatch, clock, outside)
    reactions = providers.Singleton(
        reactions, service, tools, consumer_groups, event_store, payloads
    )
    performer = providers.Singleton(
        lambda service, dispatch, outside: Performer(dispatch, service.outside_calls(outside)),
        service,
        dispatch,
        outside,
    )
    engines = providers.Singleton(engines, service, event_store, performer, saga_metrics)
    saga_workers = providers.Factory(  # any number of each
        saga_workers, engines, consumer_groups, event_store, payloads
    )
    deadlines = providers.Factory(deadlines, service, event_store, subscriptions, log_end)

    # the read side
    tick = providers.Object(0.5)  # seconds between two looks at the builds
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

    # what the edges use
    working = providers.Singleton(Working)
    backpressure = providers.Singleton(
        Backpressure,
        slow=settings.provided.backpressure_slow_seconds,
        refuse=settings.provided.backpressure_refuse_seconds,
        apart=providers.Callable(names, apart),  # known before anything is opened
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
        read_side.provided.apart,
    )
    counts_events = providers.Callable(counting, roles, event_side)
    exposition = providers.Singleton(
        Exposition, roles, counts_events, metrics, lags, staleness, parking_streams
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
    )


def wired(program: Program[Any], settings: Settings, roles: Collection[Role] = ALL) -> Container:
    """A process with these roles over the technologies that the settings name, not opened yet."""
    return Container(program=program, settings=settings, roles=roles)


def in_memory(program: Program[Any], settings: Settings) -> Container:
    """The same service without any server: every port in memory, gone with the process."""
    from infrastructure import memory

    container = wired(program, settings)
    container.payload_store.override(providers.Singleton(memory.PayloadStore))
    container.event_side.override(providers.Singleton(memory.event_side, container.given))
    container.read_side.override(providers.Singleton(memory.read_side, container.given))
    container.outside.override(providers.Singleton(program.outside_in_memory))
    container.tick.override(providers.Object(0.01))  # in memory, looking is cheap
    for part, open in PARTS.items():
        there = providers.Callable(nullcontext, getattr(container, part))
        getattr(container, open).override(there)
    return container
