"""Which saga an operator means: by its whole name, or by an id where that is enough."""

from uuid import uuid4

import pytest

from application.messages import Context
from application.own_events import OWN
from application.ports import NO_STREAM
from application.sagas.events import SagaStarted
from application.sagas.lookup import NoSuchSaga, SagaName, SeveralSagas, find_saga
from application.sagas.operating import UnknownSaga
from infrastructure import memory
from tests.application.snapped import NOON
from tests.sample.service import SAMPLE

SAGAS = ("money_transfer", "card_refund")


async def started(*names: SagaName) -> memory.EventStore:
    store = memory.EventStore(SAMPLE.catalogue)
    for name in names:
        event = SagaStarted(saga=name.saga, version=1, facts={})
        new = OWN.new_event(event, uuid4(), Context.start("a test", uuid4(), NOON))
        await store.append(str(name), [new], NO_STREAM)
    return store


async def test_an_id_is_enough_where_one_saga_has_it() -> None:
    """With or without the saga before it."""
    name = SagaName("card_refund", "e-1")
    store = await started(name, SagaName("money_transfer", "o-1"))

    assert await find_saga(store, SAGAS, "e-1") == name
    assert await find_saga(store, SAGAS, "card_refund-e-1") == name
    assert await find_saga(store, SAGAS, "e-1", "card_refund") == name


async def test_an_id_that_several_sagas_have_is_refused_with_their_names() -> None:
    """The whole name, or the saga's, says which one is meant."""
    both = [SagaName(saga, "1") for saga in SAGAS]
    store = await started(*both)

    with pytest.raises(SeveralSagas) as refused:
        await find_saga(store, SAGAS, "1")
    assert str(refused.value) == (
        "1 may be money_transfer-1 and card_refund-1: give the whole name"
    )
    assert await find_saga(store, SAGAS, "card_refund-1") == both[1]
    assert await find_saga(store, SAGAS, "1", "money_transfer") == both[0]


async def test_a_saga_that_was_not_started_is_unknown() -> None:
    """Under that name or another; a saga that the service does not have is refused, too."""
    store = await started(SagaName("money_transfer", "o-1"))

    with pytest.raises(UnknownSaga, match="there is no saga o-2"):
        await find_saga(store, SAGAS, "o-2")
    with pytest.raises(UnknownSaga, match="there is no saga o-1"):
        await find_saga(store, SAGAS, "o-1", "card_refund")
    with pytest.raises(NoSuchSaga, match="no saga 'lost', but card_refund, money_transfer"):
        await find_saga(store, SAGAS, "o-1", "lost")
