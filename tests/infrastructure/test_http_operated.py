"""Streams that operators have touched, and events that cannot be read, over HTTP: never 500."""

from typing import Any
from uuid import uuid4

import pytest
from dependency_injector import providers

from application.messages import NewEvent
from infrastructure import memory
from tests.contracts.made_up import all_of, event
from tests.infrastructure.test_http_problems import problem
from tests.shop.infrastructure.shop import LINE, Shop, empty_shop, shop_over

CANCEL = {"reason": "changed my mind"}


def store_of(shop: Shop) -> memory.EventStore:
    store: Any = shop.container.streams()
    assert isinstance(store, memory.EventStore)  # such a shop it is
    return store


@pytest.mark.parametrize("ask", ["cancellation", "history"])
async def test_an_order_that_lost_its_beginning_is_not_decided_upon(shop: Shop, ask: str) -> None:
    """409 with the stream and the version that is missing, and nothing is appended."""
    id = (await shop.shipped()).removeprefix("/orders/")
    store, stream = store_of(shop), f"order-{id}"
    store.truncate(stream, 1)
    container = empty_shop()  # a process that has not seen the order before
    container.streams.override(providers.Object(store))
    async with shop_over(container) as other:
        path = f"/orders/{id}/{ask}"
        answer = await (other.post(path, CANCEL) if ask == "cancellation" else other.get(path))

    told = problem(answer, 409)
    assert told["type"] == "urn:headwater:problem:stream-has-hole"
    assert f"{stream} lacks version 0 and goes on with version 1" in told["detail"]
    assert len(await all_of(store.read(stream, from_version=1))) == 2


async def test_a_deleted_order_is_gone(shop: Shop) -> None:
    """410, whatever is done to it."""
    id = (await shop.placed()).removeprefix("/orders/")
    store_of(shop).delete(f"order-{id}")
    answer = await shop.post(f"/orders/{id}/cancellation", CANCEL)

    assert problem(answer, 410)["type"] == "urn:headwater:problem:stream-deleted"


def unreadable(what: str) -> NewEvent:
    """An event that stands in an order's stream and cannot be read."""
    sound = event("OrderConfirmed", b"{}")
    match what:
        case "a newer version":
            metadata = sound.metadata.model_copy(update={"schema_version": 99})
            return NewEvent(uuid4(), sound.type, sound.data, metadata)
        case "no JSON":
            return NewEvent(uuid4(), sound.type, b"{", sound.metadata)
        case _:
            return NewEvent(uuid4(), "OrderUnheardOf", b"{}", sound.metadata)


@pytest.mark.parametrize("what", ["a newer version", "no JSON", "an unknown type"])
async def test_an_event_that_cannot_be_read_is_named_with_its_place(shop: Shop, what: str) -> None:
    """503 with type, stream, version and position: a newer release may be able to."""
    id = (await shop.placed()).removeprefix("/orders/")
    await store_of(shop).append(f"order-{id}", [unreadable(what)], 0)
    answer = await shop.post(f"/orders/{id}/cancellation", CANCEL)

    told = problem(answer, 503)
    assert told["type"] == "urn:headwater:problem:unreadable-event"
    assert f"order-{id}@1 (position " in told["detail"]


async def test_data_that_is_gone_is_named(shop: Shop) -> None:
    """503 where the payload of an event is not there: a part is never passed off as the whole."""
    many = [{**LINE, "description": "x" * 200} for _ in range(100)]
    order = await shop.placed(lines=many)
    container = empty_shop()  # a process whose payload store is empty
    container.streams.override(providers.Object(store_of(shop)))
    async with shop_over(container) as other:
        answer = await other.http.get(f"{order}/history")

    assert problem(answer, 503)["type"] == "urn:headwater:problem:payload-unavailable"
