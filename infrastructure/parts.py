"""What the wiring builds of a declared service: one of each, by its name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from application.catalogue import Catalogue
from application.command_dispatch import CommandDispatch  # only: bus
from application.consuming import GroupConsumer
from application.forwarding import Forwarder  # only: bus
from application.forwarding import Observer as ForwarderObserver  # only: bus
from application.log_end import LogEnd  # only: bus
from application.parking_stream import ParkingStream
from application.personal.keyring import Keyring
from application.personal.protection import PersonalData, ProtectedStore
from application.personal.published import PublishedPersonalData  # only: bus
from application.ports import (
    Bus,  # only: bus
    ConsumerGroups,
    EventStore,
    IncomingRecords,  # only: bus
    Leases,  # only: bus
    PayloadStore,
    Subscriptions,  # only: bus
)
from application.projections.projection import Projection
from application.reactions import Tools
from application.receiving.receiver import Receiver  # only: bus
from application.service import Service
from infrastructure.roles import Role

if TYPE_CHECKING:  # a side knows its metrics, which `run` does not need
    from infrastructure.metrics import Metrics  # only: bus
    from infrastructure.sides import EventSide


def now() -> datetime:
    return datetime.now(UTC)


def consistent(service: Service[Any], inline: Collection[str] = ()) -> Sequence[Projection[Any]]:
    """The declared read models, those named here inline."""
    return [
        replace(one, consistency="inline") if one.name in inline else one
        for one in service.read_models
    ]


def personal_data(service: Service[Any], keyring: Keyring) -> PersonalData | None:
    """What encrypts and opens the events of a service; ``None``: they hold no personal data."""
    return PersonalData(service.encrypted, keyring) if service.encrypted else None


def protected_catalogue(service: Service[Any], personal: PersonalData | None) -> Catalogue:
    """The catalogue by which stores read events."""
    return service.catalogue.opening(personal) if personal else service.catalogue


def protected_store(store: EventStore, personal: PersonalData | None) -> EventStore:
    """The store, given no personal data in the clear."""
    return ProtectedStore(store, personal) if personal else store


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


# only: bus
def receivers(
    service: Service[Any],
    records: IncomingRecords | None,
    dispatch: CommandDispatch,
    store: EventStore,
    groups: ConsumerGroups,
    payloads: PayloadStore,
    metrics: "Metrics",
    published: PublishedPersonalData,
) -> Mapping[str, Receiver]:
    """The receiver of each publisher; none without a bus."""
    if records is None:
        return {}
    return {
        one.publisher: Receiver(
            one,
            f"{service.name}.{one.publisher}",
            records,
            dispatch,
            store,
            groups,
            payloads,
            now,
            opened=published.opened,
            count=metrics.receiving.counting(one.publisher),
        )
        for one in service.receives
    }


# end: bus
# only: bus
def forwarder(
    service: Service[Any],
    bus: Bus | None,
    subscriptions: Subscriptions,
    store: EventStore,
    payloads: PayloadStore,
    leases: Leases,
    log_end: LogEnd,
    observer: ForwarderObserver,
    holder: str,
    published: PublishedPersonalData,
) -> Forwarder | None:
    """Publishes what the service declares; ``None`` where that is nothing, or there is no bus."""
    if bus is None or not service.publishes:
        return None
    return Forwarder(
        service.contract,
        subscriptions,
        store,
        payloads,
        bus,
        leases,
        log_end,
        observer,
        holder=holder,
        sealed=published.sealed,
    )


# end: bus
