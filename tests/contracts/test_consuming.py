"""Parking on every store: what fails is set aside, replayed in order, and gone."""

import asyncio

from application.consuming import GroupConsumer
from application.messages import RecordedEvent
from application.parking_stream import ParkingStream
from application.ports import NO_STREAM
from tests.contracts.made_up import events, name, only, until
from tests.contracts.stores import Stores


async def test_an_event_is_parked_and_replayed_with_what_waits_behind_it(stores: Stores) -> None:
    """The rest flows meanwhile; after the replay all has been handled in order, and once."""
    type, group, bad, good = name("Noted"), name("group"), name(), name()
    parking, handled, mended = ParkingStream(stores.events, group), list[tuple[str, int]](), False

    async def handle(recorded: RecordedEvent) -> None:
        if recorded.stream == bad and recorded.version == 1 and not mended:
            raise LookupError("not there yet")
        handled.append((recorded.stream, recorded.version))

    async def all_has_come() -> bool:
        return len((await parking.look()).held) == 2 and len(handled) == 4

    async def the_lot_is_empty() -> bool:
        return not (await parking.look()).held

    for stream in (bad, good):
        await stores.events.append(stream, events(3, type), NO_STREAM)
    own = ParkingStream(stores.events, group)
    consumer = GroupConsumer(group, only(type), handle, stores.groups, stores.events, None, own)
    task = asyncio.create_task(consumer.run())
    try:
        await until(all_has_come)
        mended = True
        await parking.replay(parking.parked.streams[bad][0], "ada")
        await until(the_lot_is_empty)
    finally:
        task.cancel()
        await asyncio.wait([task])

    assert [version for stream, version in handled if stream == bad] == [0, 1, 2]
    assert [version for stream, version in handled if stream == good] == [0, 1, 2]
