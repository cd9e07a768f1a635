"""One order as one timeline over all its streams, and each of them as it was."""

import pytest

from application.sagas.timeline import EntryKind, EntryOutcome
from application.shop.order_story import Moment, OrderStory, SagaStep, order_story, state_then
from domain.orders import DeliverOrder, ReturnedLine, ReturnLines, ShipOrder
from domain.stock import ReceiveStock
from infrastructure.providers.simulated import Fault, Faults
from tests.shop.infrastructure.fulfilling import fulfilling
from tests.shop.infrastructure.shop import Shop, empty_shop, shop_over
from tests.waiting import until_true


async def told(shop: Shop, order: str) -> OrderStory:
    story = await order_story(shop.container.event_store(), order.removeprefix("/orders/"))
    assert story is not None
    return story


async def fulfilled(shop: Shop, ends: str) -> str:
    """An order whose fulfilment has come to that end."""
    await shop.dispatch("85123A", ReceiveStock(receipt_id="r-1", quantity=100))
    order = await shop.placed()

    async def has_ended() -> bool:
        answer = await shop.http.get(f"{order}/fulfilment")
        return answer.status_code == 200 and answer.json()["status"] == ends

    await until_true(has_ended)
    return order


async def test_the_story_is_over_all_streams_in_the_order_of_what_happened() -> None:
    """Order, payment, parcel, returns and steps; a step that was tried three times is one entry."""
    faults = Faults([Fault(kind="unavailable", call="book", times=2)])
    async with shop_over(empty_shop()) as shop, fulfilling(shop.container, faults):
        order = await fulfilled(shop, "completed")
        id = order.removeprefix("/orders/")
        back = ReturnLines(return_id="r-1", lines=(ReturnedLine(line=1, quantity=2),))
        for command in (ShipOrder(shipment_id=id), DeliverOrder(), back):
            await shop.dispatch(id, command)
        story = await told(shop, order)

    moments = [one for one in story.entries if isinstance(one, Moment)]
    steps = [one for one in story.entries if isinstance(one, SagaStep)]
    assert [one.recorded.type for one in moments] == [
        "OrderPlaced",
        "PaymentAuthorised",
        "ShipmentBooked",
        "PaymentCaptured",
        "OrderConfirmed",
        "OrderShipped",
        "OrderDelivered",
        "LinesReturned",
    ]
    assert [one.entry.name for one in steps][1:4] == [
        "reserve stock",
        "authorise payment",
        "book shipment",
    ]
    assert [one.entry.attempts for one in steps if one.entry.name == "book shipment"] == [3]
    assert [name.partition("-")[0] for name, _ in story.streams] == [
        "order",
        "payment",
        "shipment",
        "order_fulfilment",
    ]
    assert moments[0].since is None
    assert all(one.since is not None and one.since.total_seconds() >= 0 for one in moments[1:])


async def test_each_event_shows_what_it_changed() -> None:
    """The state before and after, place by place; of a return the units that came back."""
    async with shop_over(empty_shop()) as shop:
        order = await shop.shipped()
        id = order.removeprefix("/orders/")
        lines = (ReturnedLine(line=1, quantity=2),)
        await shop.dispatch(id, ReturnLines(return_id="r-1", lines=lines))
        story = await told(shop, order)
        changes = [one.changes for one in story.entries if isinstance(one, Moment)]

    status = [[(c.before, c.after) for c in each if c.path == "status"] for each in changes]
    assert status == [[(None, "placed")], [("placed", "confirmed")], [("confirmed", "shipped")], []]
    assert ("returned.1", None, 2) in [(c.path, c.before, c.after) for c in changes[-1]]


async def test_what_was_undone_is_marked() -> None:
    """A payment that is declined: the step is refused, and those before it are undone."""
    faults = Faults([Fault(kind="decline", call="authorise", times=1)])
    async with shop_over(empty_shop()) as shop, fulfilling(shop.container, faults):
        order = await fulfilled(shop, "compensated")
        story = await told(shop, order)

    steps = [one.entry for one in story.entries if isinstance(one, SagaStep)]
    assert [one.name for one in steps if one.kind is EntryKind.UNDO][:2] == [
        "reserve stock",
        "place order",
    ]
    refused = next(one for one in steps if one.name == "authorise payment")
    assert refused.outcome is EntryOutcome.REFUSED


async def test_a_stream_is_shown_as_it_was_at_any_version() -> None:
    """The state after that event and nothing later; nothing for a version that there is not."""
    async with shop_over(empty_shop()) as shop:
        stream = f"order-{(await shop.shipped()).removeprefix('/orders/')}"
        store = shop.container.event_store()
        then = [await state_then(store, stream, version) for version in range(4)]
        with pytest.raises(ValueError, match="stock-1 is not of an order"):
            await state_then(store, "stock-1", 0)

    assert [one and one.state["status"] for one in then] == ["placed", "confirmed", "shipped", None]
    assert then[0] is not None
    assert (then[0].version, then[0].last, then[0].event.type) == (0, 2, "OrderPlaced")


async def test_an_order_that_was_never_placed_has_no_story() -> None:
    """Not even an empty one."""
    async with shop_over(empty_shop()) as shop:
        assert await order_story(shop.container.event_store(), "nobody") is None
