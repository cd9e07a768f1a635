"""A process remembers keys for a while, and no longer."""

from collections.abc import Collection, Mapping

import pytest

from application.personal.keyring import Keyring
from infrastructure import memory


class Counted(memory.KeyStore):
    """It notes which keys it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        self.asked += subjects
        return await super().keys(subjects)

    async def key(self, subject: str) -> bytes:
        self.asked.append(subject)
        return await super().key(subject)


class World:
    """A keyring over a store, and the time."""

    def __init__(self) -> None:
        self.now, self.store = 0.0, Counted()
        self.keyring = Keyring(lambda: self.store, kept=60, most=2, clock=lambda: self.now)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_key_is_asked_for_once(world: World) -> None:
    """What was read or made lately is not looked up again, nor is what is not there."""
    key = await world.keyring.key("ann")
    for _ in range(3):
        assert await world.keyring.key("ann") is key
        assert await world.keyring.keys(["ann", "bob"]) == {"ann": key, "bob": None}

    assert world.store.asked == ["ann", "bob"]


async def test_a_destroyed_key_is_used_for_a_minute_at_most(world: World) -> None:
    """After that time another process has forgotten it, whether it reads or writes."""
    await world.keyring.key("ann")
    await world.store.destroy("ann")
    world.now = 59.9
    assert await world.keyring.key("ann") is not None

    world.now = 60
    assert await world.keyring.key("ann") is None
    assert await world.keyring.keys(["ann"]) == {"ann": None}


async def test_the_process_that_forgets_does_so_at_once(world: World) -> None:
    """It need not wait for the minute."""
    await world.keyring.key("ann")
    await world.store.destroy("ann")

    world.keyring.forget("ann")

    assert await world.keyring.keys(["ann"]) == {"ann": None}


async def test_a_key_that_is_made_after_a_look_is_used(world: World) -> None:
    """That there was no key a moment ago is no reason to write masks."""
    assert await world.keyring.keys(["ann"]) == {"ann": None}

    key = await world.keyring.key("ann")

    assert key is not None
    assert await world.keyring.keys(["ann"]) == {"ann": key}


async def test_only_so_many_are_kept(world: World) -> None:
    """The oldest go first."""
    for subject in ("ann", "bob", "cid", "bob", "ann"):
        await world.keyring.key(subject)

    assert world.store.asked == ["ann", "bob", "cid", "ann"]
