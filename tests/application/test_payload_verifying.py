"""Verifying fetches each payload that an event refers to, and names the events that lack theirs."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from application.payloads.places import PayloadPlaces
from application.payloads.verifying import Fault, verify
from application.ports import NO_STREAM, StoreUnavailable
from infrastructure import filesystem, memory
from tests.application.swept import World, large


async def test_each_event_without_its_payload_is_named(tmp_path: Path) -> None:
    """A missing payload and a damaged one are told apart; a whole one is counted."""
    world = World(filesystem.PayloadStore(tmp_path))
    contents = ["whole", "missing", "damaged", "missing"]
    for number, content in enumerate(contents):
        await world.append(content, f"transfer-{number}")
    missing, damaged = (sha256(large(one).data).hexdigest() for one in ("missing", "damaged"))
    (tmp_path / missing).unlink()
    (tmp_path / damaged).write_bytes(b"?")

    verified = await verify(world.log, world.payloads)

    assert (verified.events, verified.payloads) == (4, 3)
    gone = f"no payload {missing} in {tmp_path}"
    assert verified.faults == [
        Fault("transfer-1", 0, gone),
        Fault("transfer-2", 0, f"{tmp_path / damaged} is damaged: its content has another SHA-256"),
        Fault("transfer-3", 0, gone),
    ]


async def test_a_reference_that_is_none_is_a_fault() -> None:
    """Of any program; the others are verified all the same."""
    world = World()
    broken = [b'{"$claimCheck":{}}', b'{"$claimCheck":{"sha256":"a"}}', b'{"$claimCheck":']
    await world.events.append("other", [replace(large("x"), data=one) for one in broken], NO_STREAM)
    await world.append("whole")

    verified = await verify(world.log, world.payloads)

    assert (verified.events, verified.payloads) == (4, 1)
    assert [(one.stream, one.version) for one in verified.faults] == [
        ("other", n) for n in (0, 1, 2)
    ]
    assert verified.faults[0].what == "other@0 has a reference without a SHA-256"


async def test_what_another_store_has_whole_is_no_fault(tmp_path: Path) -> None:
    """A payload in any of the stores that are read will do, also one that was set aside."""
    world = World(filesystem.PayloadStore(tmp_path))
    await world.append("yesterday's")
    (stored,) = await world.listed()
    await world.payloads.set_aside(stored)

    verified = await verify(world.log, PayloadPlaces(memory.PayloadStore(), world.payloads))

    assert verified.faults == []


async def test_a_store_that_does_not_answer_is_no_fault_of_the_payload() -> None:
    """Verifying ends; whether the payload is there is not known."""
    world = World()
    await world.append("whole")

    with pytest.raises(StoreUnavailable):
        await verify(world.log, _Away())


class _Away(memory.PayloadStore):
    async def get(self, digest: str) -> bytes:
        raise StoreUnavailable(f"no answer for {digest}")
