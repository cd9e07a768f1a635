"""What the wiring builds of a declared service: one of each, by its name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from application.consuming import GroupConsumer
from application.log_end import LogEnd
from application.parking_stream import ParkingStream
from application.ports import ConsumerGroups, EventStore, PayloadStore, Subscriptions
from application.projections.projection import Projection
from application.reactions import Tools
from application.sagas.deadlines import Deadlines
from application.sagas.engine import Observer, SagaEngine
from application.sagas.performing import Performer
from application.service import Service
from infrastructure.roles import Role

if TYPE_CHECKING:  # a side knows its metrics, which `run` does not need
    from infrastructure.sides import EventSide
from application.shared_subscription import SharedSubscription


def now() -> datetime:
    return datetime.now(UTC)


def consistent(service: Service[Any], inline: Collection[str]) -> Sequence[Projection[Any]]:
    """The declared read models, those named here inline."""
    return [
        replace(one, consistency="inline") if one.name in inline else one
        for one in service.read_models
    ]


def counting(roles: Collection[Role], events: "EventSide") -> bool:
    """Whether this process counts events: no work for one that answers requests."""
    return Role.PROJECTIONS in roles or events.server_counts


def parking_streams(service: Service[Any], store: EventStore) -> Sequence[ParkingStream]:
    """The parking stream of each consumer group."""
    return [ParkingStream(store, group) for group in service.groups]


def reactions(
    service: Service[Any],
    tools: Tools[Any],
    groups: ConsumerGroups,
    store: EventStore,
    payloads: PayloadStore,
) -> Mapping[str, GroupConsumer]:
    """The consumer of each reaction."""
    return {
        one.name: GroupConsumer(
            one.name,
            one.events,
            one.handler(tools),
            groups,
            store,
            payloads,
            ParkingStream(store, one.name),
        )
        for one in service.reactions
    }


def engines(
    service: Service[Any], store: EventStore, performer: Performer, observe: Observer
) -> Mapping[str, SagaEngine]:
    """The engine of each saga, with all its versions."""
    own = service.catalogue.own
    return {
        name: SagaEngine([*versions.values()], own, store, performer, observe=observe)
        for name, versions in service.versions.items()
    }


def saga_workers(
    engines: Mapping[str, SagaEngine],
    groups: ConsumerGroups,
    store: EventStore,
    payloads: PayloadStore,
) -> Mapping[str, GroupConsumer]:
    """A worker for each saga."""
    return {
        name: GroupConsumer(
            name, engine.events, engine.handle, groups, store, payloads, ParkingStream(store, name)
        )
        for name, engine in engines.items()
    }


def deadlines(
    service: Service[Any], store: EventStore, subscriptions: Subscriptions, log_end: LogEnd
) -> Mapping[str, Deadlines]:
    """The deadlines of the sagas of each name."""
    shared = SharedSubscription(subscriptions)
    each = {name: Deadlines(name, store, shared, log_end) for name in service.versions}
    for one in each.values():
        shared.expect(one.events)
    return each
