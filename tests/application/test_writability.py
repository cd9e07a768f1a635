"""Whether the store takes appends is known from the last one, and asked for after a failure."""

import asyncio
from collections.abc import Sequence

import pytest

from application.messages import NewEvent
from application.ports import NO_STREAM, Appended, StoreUnavailable
from application.writability import Writability
from infrastructure import memory
from tests.contracts.made_up import event
from tests.sample.service import SAMPLE


class Disk(memory.EventStore):
    """A store whose disk may be full: it answers reads, and refuses appends."""

    full = False

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        if self.full:
            raise StoreUnavailable("no space left on device")
        return await super().append(stream, events, expected_version)


async def events_in(store: memory.EventStore, stream: str) -> int:
    return len([recorded async for recorded in store.read(stream)])


async def test_a_store_that_takes_appends_is_probed_once() -> None:
    """The first check of a process appends one small event; later ones know."""
    store = Disk(SAMPLE.catalogue)
    writability = Writability(store, "here")
    for _ in range(3):
        await writability.check()

    assert await events_in(store, "probe-here") == 1


async def test_appends_of_others_are_as_good_as_a_probe() -> None:
    """While the service itself appends, nothing is appended only to find out."""
    store = Disk(SAMPLE.catalogue)
    writability = Writability(store, "here")
    await writability.append("box-1", [event("Opened")], NO_STREAM)
    await writability.check()

    assert await events_in(store, "probe-here") == 0


async def test_a_store_that_refuses_appends_is_noticed_and_found_again() -> None:
    """From the failure of an append until one is taken, each check says why not."""
    store = Disk(SAMPLE.catalogue)
    writability = Writability(store, "here")
    await writability.check()
    store.full = True
    with pytest.raises(StoreUnavailable):
        await writability.append("box-1", [event("Opened")], NO_STREAM)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="no space left"):
            await writability.check()
    store.full = False
    await writability.check()

    assert await events_in(store, "probe-here") == 2


async def test_a_store_that_is_full_from_the_start_is_noticed_before_any_command() -> None:
    """A process that has not appended yet does not take it for granted."""
    store = Disk(SAMPLE.catalogue)
    store.full = True

    with pytest.raises(StoreUnavailable):
        await Writability(store, "here").check()


async def test_two_processes_of_one_machine_probe_one_stream() -> None:
    """The second finds the first one's probe there, and adds its own."""
    store = Disk(SAMPLE.catalogue)
    for _ in range(2):
        await Writability(store, "here").check()

    assert await events_in(store, "probe-here") == 2


class Distant(memory.EventStore):
    """A store on whose answers one waits, so that others come in between."""

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        await asyncio.sleep(0)
        return await super().append(stream, events, expected_version)


async def test_many_may_probe_at_once() -> None:
    """As all read models of all processes do after a restart: each is answered, none a conflict."""
    store = Distant(SAMPLE.catalogue)
    here = [Writability(store, "here") for _ in range(3)]
    positions = [probed.position for probed in await asyncio.gather(*(w.probe() for w in here * 5))]

    assert len(set(positions)) == 15
    assert await events_in(store, "probe-here") == 15
