"""What drives the sagas of a service, and what each of them needs at work."""

from collections.abc import (
    Collection,  # only: temporal
    Mapping,
)
from functools import partial
from typing import Any, Final

from application.consuming import GroupConsumer
from application.log_end import LogEnd
from application.parking_stream import ParkingStream
from application.ports import ConsumerGroups, EventStore, PayloadStore, Subscriptions
from application.sagas.deadlines import Deadlines
from application.sagas.driving import Observer, SagaDriver
from application.sagas.engine import SagaEngine
from application.sagas.performing import Performer
from application.service import Service
from application.shared_subscription import SharedSubscription
from infrastructure.other_engines import late  # only: temporal

RARELY: Final = 0.5
"""Seconds from one look for new deadlines to the next: a saga that sleeps does so for about a
second at least, and looking after each event of a busy service costs more than is found."""


def engines(
    service: Service[Any],
    store: EventStore,
    performer: Performer,
    observe: Observer,
) -> Mapping[str, SagaDriver]:
    """The plain engine of each saga, with all its versions."""
    own = service.catalogue.own
    plain = partial(SagaEngine, own=own, store=store, perform=performer, observe=observe)
    return {name: plain([*versions.values()]) for name, versions in service.versions.items()}


def saga_workers(
    engines: Mapping[str, SagaDriver],
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
    service: Service[Any],
    store: EventStore,
    subscriptions: Subscriptions,
    log_end: LogEnd,
    elsewhere: Collection[str],  # only: temporal
) -> Mapping[str, Deadlines]:
    """The deadlines of the sagas of each name, by one subscription."""
    shared = SharedSubscription(subscriptions, rest=RARELY)
    each = {name: Deadlines(name, store, shared, log_end) for name in service.versions}
    # only: temporal
    for name in elsewhere:  # its engine has timers: what it does not wake in time is late
        each[name] = Deadlines(name, store, shared, log_end, now=late)
    # end: temporal
    for one in each.values():
        shared.expect(one.events)
    return each
