"""Nothing personal is stored in the clear, whatever is wrong with the keys."""

import pytest

from application.messages import RecordedEvent
from application.personal.keyring import Keyring
from application.personal.protection import PersonalData
from application.ports import EventStore, KeyStore, StoreUnavailable
from infrastructure import memory
from infrastructure.keys import NoKeyStore
from tests.application.protected import Protection, give
from tests.contracts.made_up import all_of
from tests.sample.service import SAMPLE
from tests.sample.transfers import CancelTransfer, RequestTransfer

REQUESTED = RequestTransfer(source="ann", target="bob", amount=3, note="for the operation")


class World(Protection):
    """A store, and keys that can be away."""

    def __post_init__(self) -> None:
        self.away: KeyStore | None = None
        self.keyring = Keyring(lambda: self.away or self.keys, kept=0)
        self.personal = PersonalData(SAMPLE.encrypted, self.keyring)
        self.inner = memory.EventStore(self.of(SAMPLE.catalogue))
        self.store: EventStore = self.over(self.inner)

    async def events(self) -> list[RecordedEvent]:
        return await all_of(self.store.read("transfer-1"))


@pytest.fixture
def world() -> World:
    return World()


async def test_without_keys_nothing_personal_is_appended(world: World) -> None:
    """The command fails as if the store were away, and can be repeated."""
    world.away = NoKeyStore("the keys are away")
    with pytest.raises(StoreUnavailable, match="the keys are away"):
        await give(world.store, "1", REQUESTED)
    assert not world.inner.after(-1, 1)

    world.away = None
    assert len((await give(world.store, "1", REQUESTED)).events) == 1


async def test_without_keys_nothing_is_read_as_if_it_were_forgotten(world: World) -> None:
    """An event that cannot be opened now is no event with masks."""
    await give(world.store, "1", REQUESTED)
    world.away = NoKeyStore("the keys are away")

    with pytest.raises(StoreUnavailable, match="the keys are away"):
        await world.events()


async def test_what_is_not_personal_needs_no_key(world: World) -> None:
    """Commands and events without personal data go on while the keys are away."""
    await give(world.store, "1", REQUESTED.model_copy(update={"note": None}))
    world.away = NoKeyStore("the keys are away")

    await give(world.store, "1", CancelTransfer(reason="too late"))

    assert [one.type for one in await world.events()] == ["TransferRequested", "TransferCancelled"]
