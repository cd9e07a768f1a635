"""The simulated carrier on the bus: it reports that each parcel which it gets has arrived.

It follows what the shop publishes of its shipments, as a real carrier would, and publishes to the
topic from which the shop receives. It keeps no position there: an event that it sends again has the
same id.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Final

import structlog

from application.backoff import Backoff
from application.ending import end
from application.integration_events import CloudEvent, Outgoing
from application.ports import BusRecord, BusUnavailable, IncomingRecords
from application.receiving import cloud_events
from application.receiving.cloud_events import NotACloudEvent
from application.shop.incoming import CARRIER, ParcelDelivered
from application.shop.integration_events import SHIPMENTS, ShipmentHandedOver
from application.shop.service import SHOP
from infrastructure.opening import opener
from infrastructure.shop.settings import ShopSettings

GROUP: Final = "simulated-carrier"
HANDED_OVER: Final = SHOP.contract.event_type(ShipmentHandedOver)
_DELIVERED: Final = f"{CARRIER.publisher}.{ParcelDelivered.kind}"
_BACKOFF: Final = Backoff(0.1, most=10.0)

Send = Callable[[Outgoing], Awaitable[None]]

log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def carried(settings: ShopSettings) -> AsyncIterator[None]:
    """As long as the block lasts, parcels arrive, where the settings have a bus."""
    if settings.bus == "none":
        yield
        return
    opened = opener(settings.bus, "other_party")
    task = asyncio.create_task(carry(lambda: opened(settings, CARRIER.topics)))
    try:
        yield
    finally:
        await end([task])


async def carry(
    opened: Callable[[], AbstractAsyncContextManager[tuple[IncomingRecords, Send]]],
) -> None:
    """Deliver what is handed over, until cancelled. Connects again when the bus goes away."""
    logged = ""
    for attempt in count():
        try:
            async with opened() as (records, send):
                await _carry(records, send)
        except BusUnavailable as error:
            if str(error) != logged:
                logged = str(error)
                log.warning("the simulated carrier waits for the bus", reason=logged)
        except Exception:  # whatever it is: a simulation must not end unnoticed
            log.exception("the simulated carrier has failed, and begins again")
        await _BACKOFF(attempt)


async def _carry(records: IncomingRecords, send: Send) -> None:
    topic = SHOP.contract.topic(SHIPMENTS)
    async with records.consume(GROUP, [topic]) as arrivals:
        async for arrival in arrivals:
            if report := delivered(arrival.record):
                await send(report)
            arrival.done()


def delivered(record: BusRecord) -> Outgoing | None:
    """The report that this parcel has arrived, if it was handed over."""
    try:
        event = cloud_events.read(record)
    except NotACloudEvent:
        return None
    if event.type != HANDED_OVER:
        return None
    parcel = ShipmentHandedOver.model_validate_json(event.data)
    return Outgoing(CARRIER.topics[0], parcel.shipment_id, _report(event, parcel))


def _report(cause: CloudEvent, parcel: ShipmentHandedOver) -> CloudEvent:
    report = ParcelDelivered(shipment_id=parcel.shipment_id, tracking_code=parcel.tracking_code)
    return CloudEvent(
        id=f"delivered {cause.id}",  # the same when it is sent again
        type=_DELIVERED,
        source=f"/{CARRIER.publisher}",
        subject=parcel.tracking_code,
        time=cause.time,
        data=report.model_dump_json().encode(),
        correlation_id=cause.correlation_id,
        causation_id=cause.id,
        traceparent=cause.traceparent,
        actor=CARRIER.publisher,
        on_behalf_of=cause.on_behalf_of or cause.actor,
    )
