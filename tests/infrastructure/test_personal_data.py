"""A wired service keeps personal data encrypted, from the request to the answer."""

from application.personal.keyring import Keyring
from application.ports import Wanted
from application.service import Service
from domain.personal import MASK
from infrastructure import memory
from infrastructure.container import Container
from infrastructure.parts import personal_data, protected_catalogue, protected_store
from tests.sample.aggregates import ACCOUNT
from tests.sample.client import bank_over, empty_bank

SECRET = "for the operation"


async def stored(container: Container) -> bytes:
    """All data in the event store."""
    found = await container.event_side().browser.events(Wanted())
    return b"\n".join(one.data + one.metadata_json for one in found.items)


async def test_it_is_encrypted_in_the_store_and_whole_in_the_answers() -> None:
    """What a request brings is in the views, and in no stored event."""
    container = empty_bank()
    async with bank_over(container) as bank:
        path = await bank.requested(notes=[SECRET])

        assert (await bank.get(path)).json()["note"] == SECRET
    assert b'"a-1"' in await stored(container)
    assert SECRET.encode() not in await stored(container)


def test_a_service_without_personal_data_pays_nothing() -> None:
    """Stores have the catalogue as it is declared, and nothing stands before the claim check."""
    service: Service[None] = Service("counter", (ACCOUNT,))
    store = memory.EventStore(service.catalogue)
    personal = personal_data(service, Keyring(memory.KeyStore))

    assert personal is None
    assert protected_catalogue(service, personal) is service.catalogue
    assert service.catalogue.personal is None
    assert protected_store(store, personal) is store


async def test_without_the_key_the_service_goes_on_with_masks() -> None:
    """The events of a forgotten person are read, decided upon and shown, with masks."""
    container = empty_bank()
    async with bank_over(container) as bank:
        await bank.deposited("a-1", 5)
        await container.key_side().destroy("a-1")
        path = await bank.requested(notes=[SECRET])
        answer = (await bank.get(path)).json()

        assert answer["note"] == MASK
        assert (await bank.post(f"{path}/cancellation", {"reason": "too late"})).status_code == 200
    assert SECRET.encode() not in await stored(container)
