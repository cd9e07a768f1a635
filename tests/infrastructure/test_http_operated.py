"""Streams that operators have touched, and events that cannot be read, over HTTP: never 500."""

from typing import Any
from uuid import uuid4

import pytest
from dependency_injector import providers

from application.messages import NewEvent
from infrastructure import memory
from tests.contracts.made_up import all_of, event
from tests.infrastructure.test_http_problems import problem
from tests.sample.client import Bank, bank_over, empty_bank, id_of
from tests.sample.transfers import ApproveTransfer

CANCEL = {"reason": "changed my mind"}


def store_of(bank: Bank) -> memory.EventStore:
    store: Any = bank.container.streams()
    assert isinstance(store, memory.EventStore)  # such a bank it is
    return store


@pytest.mark.parametrize("ask", ["cancellation", "history"])
async def test_an_order_that_lost_its_beginning_is_not_decided_upon(bank: Bank, ask: str) -> None:
    """409 with the stream and the version that is missing, and nothing is appended."""
    id = id_of(await bank.requested())
    await bank.dispatch(id, ApproveTransfer())
    store, stream = store_of(bank), f"transfer-{id}"
    store.truncate(stream, 1)
    container = empty_bank()  # a process that has not seen the transfer before
    container.streams.override(providers.Object(store))
    async with bank_over(container) as other:
        path = f"/transfers/{id}/{ask}"
        answer = await (other.post(path, CANCEL) if ask == "cancellation" else other.get(path))

    told = problem(answer, 409)
    assert told["type"] == "urn:headwater:problem:stream-has-hole"
    assert f"{stream} lacks version 0 and goes on with version 1" in told["detail"]
    assert len(await all_of(store.read(stream, from_version=1))) == 1


async def test_a_deleted_order_is_gone(bank: Bank) -> None:
    """410, whatever is done to it."""
    id = id_of(await bank.requested())
    store_of(bank).delete(f"transfer-{id}")
    answer = await bank.post(f"/transfers/{id}/cancellation", CANCEL)

    assert problem(answer, 410)["type"] == "urn:headwater:problem:stream-deleted"


def unreadable(what: str) -> NewEvent:
    """An event that stands in an transfer's stream and cannot be read."""
    sound = event("TransferApproved", b"{}")
    match what:
        case "a newer version":
            metadata = sound.metadata.model_copy(update={"schema_version": 99})
            return NewEvent(uuid4(), sound.type, sound.data, metadata)
        case "no JSON":
            return NewEvent(uuid4(), sound.type, b"{", sound.metadata)
        case _:
            return NewEvent(uuid4(), "TransferUnheardOf", b"{}", sound.metadata)


@pytest.mark.parametrize("what", ["a newer version", "no JSON", "an unknown type"])
async def test_an_event_that_cannot_be_read_is_named_with_its_place(bank: Bank, what: str) -> None:
    """503 with type, stream, version and position: a newer release may be able to."""
    id = id_of(await bank.requested())
    await store_of(bank).append(f"transfer-{id}", [unreadable(what)], 0)
    answer = await bank.post(f"/transfers/{id}/cancellation", CANCEL)

    told = problem(answer, 503)
    assert told["type"] == "urn:headwater:problem:unreadable-event"
    assert f"transfer-{id}@1 (position " in told["detail"]


async def test_data_that_is_gone_is_named(bank: Bank) -> None:
    """503 where the payload of an event is not there: a part is never passed off as the whole."""
    transfer = await bank.requested(notes=["x" * 200] * 100)
    container = empty_bank()  # a process whose payload store is empty
    container.streams.override(providers.Object(store_of(bank)))
    async with bank_over(container) as other:
        answer = await other.http.get(f"{transfer}/history")

    assert problem(answer, 503)["type"] == "urn:headwater:problem:payload-unavailable"
