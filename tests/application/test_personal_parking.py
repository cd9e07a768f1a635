"""Parked events show no personal data: the event stays in its stream, and its error is masked."""

import asyncio

from application.consuming import GroupConsumer
from application.messages import RecordedEvent
from application.parking_stream import ParkingStream
from domain.personal import MASK
from infrastructure import memory
from tests.application.protected import Protection, give
from tests.contracts.made_up import all_of
from tests.sample.aggregates import TRANSFER
from tests.sample.service import SAMPLE
from tests.sample.transfers import RequestTransfer, TransferRequested
from tests.waiting import until_true


async def at_once(_: int) -> None:
    """Wait no longer than a turn of the loop."""
    await asyncio.sleep(0)


async def refused(recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, TransferRequested)
    raise ValueError(f"cannot print {event.note!r} for {event.target}")


async def test_an_error_is_kept_without_the_personal_texts_of_its_event() -> None:
    """What a handler says about a person is masked; the rest of the message stays."""
    protection = Protection()
    store = memory.EventStore(protection.of(SAMPLE.catalogue))
    events = protection.over(store)
    parking = ParkingStream(events, "work")
    consumer = GroupConsumer(
        "work",
        TRANSFER.own,
        refused,
        memory.ConsumerGroups(store),
        events,
        protection.payloads,
        parking,
        pause=at_once,
    )
    await give(events, "t-1", RequestTransfer(source="ann", target="bob", amount=3, note="for Ann"))

    async def parked() -> bool:
        return bool((await parking.look()).held)

    work = asyncio.create_task(consumer.run())
    await until_true(parked)
    work.cancel()

    (held,) = parking.parked.held.values()
    assert held.parked.error == f"ValueError: cannot print {MASK!r} for bob"
    for recorded in await all_of(store.read(parking.stream)):
        assert b"for Ann" not in recorded.data
