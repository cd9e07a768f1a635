"""The audit: a whole shop adds up, and each rule that is broken on purpose is found and told."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import RecordedEvent
from application.sagas.events import SagaCompensated, SagaCompleted, SagaFailed, SagaResolved
from application.shop.auditing import Shop, findings
from application.shop.auditing.accounts import StockAccount
from application.shop.reactions.goods_return import receipt_id
from application.shop.sagas.carrier_calls import booking_key
from application.shop.sagas.payment_calls import authorisation_key
from application.shop.service import SHOP
from domain import orders, payments, shipments, stock
from domain.values import Money
from tests.application.snapped import declared
from tests.shop.application.audited import EXCHANGE, WORTH, AuditedShop


@pytest.fixture
async def shop() -> AuditedShop:
    return await AuditedShop().opened()


NOTHING = Money.parse("0 GBP")

# ── a shop that adds up ──────────────────────────────────────────────────────────────────────────


async def test_a_whole_shop_adds_up(shop: AuditedShop) -> None:
    """Orders at any end leave nothing to find, and the totals are what happened."""
    await shop.delivered("1")
    await shop.undone("2")
    await shop.confirmed("3")
    verdict = await shop.verdict()

    assert verdict.adds_up
    assert (verdict.findings, verdict.under_way) == ((), ())
    units, parcels = verdict.summary.units, verdict.summary.parcels
    assert (units.received, units.dispatched, units.on_hand, units.reserved) == (10, 4, 6, 4)
    assert verdict.summary.money["GBP"].model_dump(mode="json") == {
        "authorised": "30.0",
        "voided": "10.0",
        "held": "0",
        "captured": "20.0",
        "refunded": "0",
        "kept": "20.0",
    }
    assert (parcels.booked, parcels.cancelled, parcels.delivered) == (2, 0, 1)
    assert verdict.summary.orders["delivered"] == verdict.summary.orders["cancelled"] == 1
    assert verdict.summary.sagas["completed"] == 2


async def test_snapshots_are_nothing_to_an_audit(shop: AuditedShop) -> None:
    """With one after every command, the same shop comes to the same."""
    snapped = AuditedShop()
    snapped.dispatch = CommandDispatch(snapped.store, declared(every=1, of=SHOP.catalogue))
    for one in (shop, await snapped.opened()):
        await one.delivered("1")
        await one.undone("2")

    assert await snapped.verdict() == await shop.verdict()
    assert len([one async for one in snapped.store.read("snapshot-stock-mug")]) > 1


async def test_a_return_adds_up_once_it_is_refunded_and_restocked(shop: AuditedShop) -> None:
    """Until then it is named as under way, and nothing is wrong."""
    await shop.delivered()
    await shop.came_back()
    before = await shop.verdict()
    await shop.provider.refund("refund", authorisation_key("1"), Money.parse("2.5 GBP"))
    refund = payments.RefundPayment(refund_id="r", amount=Money.parse("2.5 GBP"))
    await shop.tell("1", refund)
    await shop.tell("mug", stock.ReceiveStock(receipt_id=receipt_id("1", "r"), quantity=1))
    after = await shop.verdict()

    assert before.adds_up
    assert {one.what for one in before.under_way} == {
        "a return has not been refunded",
        "a return has not been restocked",
    }
    assert (after.findings, after.under_way) == ((), ())
    assert after.summary.units.restocked == 1


async def test_what_is_running_is_named_and_not_judged(shop: AuditedShop) -> None:
    """Halfway through, goods and money may be anywhere; the same goes for what is being undone."""
    await shop.placed("1")
    await shop.provider.authorise(authorisation_key("1"), "1", WORTH)
    await shop.confirmed("2")
    await shop.tell("2", orders.CancelOrder(reason="too late?"))
    verdict = await shop.verdict()

    assert verdict.adds_up
    assert [(one.order_id, one.what) for one in verdict.under_way] == [
        ("1", "fulfilment is running"),
        ("2", "fulfilment is being undone"),
    ]


async def test_what_has_failed_waits_for_a_person(shop: AuditedShop) -> None:
    """It is not running, and not a miscount: it is named as what somebody has to see to."""
    await shop.placed()
    await shop.write("order_fulfilment-1", SagaFailed(step="capture payment", reason="?"))

    (one,) = (await shop.verdict()).under_way
    assert one.what == "fulfilment has failed: a person must act"


async def test_history_is_none_of_our_business(shop: AuditedShop) -> None:
    """An order from history has no saga and no money, and stock may stand below zero by it."""
    line = orders.OrderLine(sku="mug", quantity=4, unit_price=Money.parse("1 GBP"))
    await shop.tell("9", orders.PlaceOrder(lines=(line,), from_history=True))
    await shop.came_back(id="9")
    await shop.tell(
        "mug",
        stock.WriteOffStock(write_off_id="w", quantity=99, reason="wet", from_history=True),
    )

    verdict = await shop.verdict()
    assert (verdict.findings, verdict.under_way) == ((), ())
    assert verdict.summary.units.on_hand == -89


# ── units ────────────────────────────────────────────────────────────────────────────────────────


def test_a_decider_that_loses_goods_is_found() -> None:
    """What came less what went is added up apart from the decider."""
    shop = Shop()
    account = shop.accounts.stock["mug"] = StockAccount()
    account.enter(stock.StockReceived(receipt_id="a", quantity=5))
    account.state = stock.Stock(on_hand=4)

    assert shop.verdict((), ()).findings == (
        findings.Miscounted(where="stock-mug", counted=5, on_hand=4),
    )


async def test_goods_that_were_not_there_cannot_go(shop: AuditedShop) -> None:
    """Below zero is found even if the stock has recovered since."""
    adjusted = stock.StockAdjusted(adjustment_id="a", difference=-12, reason="count")
    await shop.write("stock-mug", adjusted, stock.StockReceived(receipt_id="b", quantity=9))

    assert await shop.findings() == (findings.BelowZero(where="stock-mug", units=2),)


async def test_no_more_can_be_promised_than_is_there(shop: AuditedShop) -> None:
    """Two orders cannot have the same piece."""
    await shop.placed()
    await shop.write("stock-mug", stock.StockReserved(order_id="1", quantity=11))

    assert await shop.findings() == (findings.PromisedTwice(where="stock-mug", units=1),)


async def test_goods_go_only_where_they_were_ordered(shop: AuditedShop) -> None:
    """A reservation for an order that nobody has placed is found."""
    await shop.tell("mug", stock.ReserveStock(order_id="nobody", quantity=3))

    (found,) = await shop.findings()
    assert found == findings.NotOrdered(where="stock-mug", order_id="nobody", units=3)
    assert str(found) == "3 units for order nobody, which did not order them"


async def test_nothing_is_reserved_for_a_finished_order(shop: AuditedShop) -> None:
    """A cancelled order gives its goods back."""
    await shop.undone()
    await shop.write("stock-mug", stock.StockReserved(order_id="1", quantity=4))

    assert await shop.findings() == (
        findings.StillReserved(where="stock-mug", order_id="1", status="cancelled", units=4),
    )


async def test_a_confirmed_order_has_what_it_ordered(shop: AuditedShop) -> None:
    """Its goods are reserved until they go."""
    await shop.confirmed()
    await shop.tell("mug", stock.ReleaseStock(order_id="1"))

    assert await shop.findings() == (
        findings.ReservedOtherwise(where="stock-mug", order_id="1", ordered=4, reserved=0),
    )


@pytest.mark.parametrize(("cancelled", "due", "gone"), [(False, 4, 3), (True, 0, 3)])
async def test_what_left_is_what_was_shipped(
    shop: AuditedShop, cancelled: bool, due: int, gone: int
) -> None:
    """All of a shipped order, and nothing of a cancelled one."""
    await (shop.undone() if cancelled else shop.confirmed())
    if not cancelled:
        await shop.write("order-1", orders.OrderShipped(shipment_id="1"))
    await shop.write("stock-mug", stock.StockDispatched(order_id="1", quantity=gone))

    (found,) = await shop.findings()
    assert isinstance(found, findings.DispatchedOtherwise)
    assert (found.due, found.dispatched) == (due, gone)


async def test_what_came_back_is_on_the_shelf(shop: AuditedShop) -> None:
    """Not a piece more or less than was returned."""
    await shop.delivered()
    await shop.came_back(2)
    await shop.tell("mug", stock.ReceiveStock(receipt_id=receipt_id("1", "r"), quantity=3))

    (found,) = await shop.findings()
    assert isinstance(found, findings.RestockedOtherwise)
    assert (found.returned, found.restocked) == (2, 3)


# ── pennies ──────────────────────────────────────────────────────────────────────────────────────


async def test_no_payment_is_without_an_order(shop: AuditedShop) -> None:
    """Neither in our records nor in the provider's."""
    await shop.tell("x", payments.AuthorisePayment(order_id="nobody", amount=WORTH))
    await shop.provider.authorise("k", "nobody", WORTH)

    where = [(type(found), found.where) for found in await shop.findings()]
    assert where == [
        (findings.PaymentWithoutOrder, "payment-x"),
        (findings.PaymentWithoutOrder, "provider: k"),
    ]


async def test_the_provider_has_taken_what_we_say(shop: AuditedShop) -> None:
    """Money that was given back behind our back is found, by how much."""
    await shop.confirmed()
    await shop.provider.refund("k", authorisation_key("1"), Money.parse("1 GBP"))

    (found,) = await shop.findings()
    assert found == findings.BooksDisagree(
        where="order-1", what="refunded", ours=NOTHING, theirs=Money.parse("1 GBP")
    )
    assert str(found) == "we say that 0 GBP are refunded, the provider says 1 GBP"


async def test_nothing_is_held_for_a_finished_order(shop: AuditedShop) -> None:
    """A second hold that nobody let go of is found, at the provider and as a gap in our records."""
    await shop.undone()
    await shop.provider.authorise("again", "1", WORTH)

    assert await shop.findings() == (
        findings.BooksDisagree(where="order-1", what="held", ours=NOTHING, theirs=WORTH),
        findings.HeldForFinishedOrder(where="order-1", status="cancelled", amount=WORTH),
    )


async def test_we_keep_what_the_goods_are_worth(shop: AuditedShop) -> None:
    """Nothing of a cancelled order's money, however well the records agree."""
    await shop.confirmed()
    await shop.tell("1", orders.CancelOrder(reason="no longer wanted"))
    await shop.tell("1", shipments.CancelShipment())
    await shop.carrier.cancel("cancel", booking_key("1"))
    await shop.tell("mug", stock.ReleaseStock(order_id="1"))
    await shop.write("order_fulfilment-1", SagaCompensated())

    assert await shop.findings() == (
        findings.KeptOtherwise(where="order-1", status="cancelled", due=NOTHING, kept=WORTH),
    )


# ── parcels ──────────────────────────────────────────────────────────────────────────────────────


async def test_no_parcel_is_without_an_order(shop: AuditedShop) -> None:
    """Neither in our records nor in the carrier's."""
    await shop.tell("x", shipments.BookShipment(order_id="nobody", carrier="the carrier"))
    await shop.carrier.book("k", "nobody", None)

    assert [found.where for found in await shop.findings()] == ["shipment-x", "carrier: k"]


async def test_no_parcel_is_alive_for_a_cancelled_order(shop: AuditedShop) -> None:
    """The carrier would come for nothing."""
    await shop.undone()
    await shop.carrier.book("k", "1", None)

    assert await shop.findings() == (
        findings.ParcelsDisagree(where="order-1", ours=0, theirs=1),
        findings.ParcelForCancelledOrder(where="order-1", parcels=1),
    )


async def test_an_order_travels_in_one_parcel(shop: AuditedShop) -> None:
    """A second booking for a delivered order is found."""
    await shop.delivered()
    await shop.carrier.book("again", "1", None)

    assert await shop.findings() == (
        findings.ParcelsDisagree(where="order-1", ours=1, theirs=2),
        findings.NotOneParcel(where="order-1", status="delivered", parcels=2),
    )


async def test_a_parcel_is_tracked_as_the_carrier_tracks_it(shop: AuditedShop) -> None:
    """A code that is not in its records leads nowhere."""
    await shop.confirmed()
    await shop.tell("1", shipments.HandOverShipment(tracking_code="1Z"))

    (found,) = await shop.findings()
    assert isinstance(found, findings.TrackedOtherwise)
    assert (found.order_id, found.tracking_code) == ("1", "1Z")


# ── sagas, streams ───────────────────────────────────────────────────────────────────────────────


async def test_a_saga_has_an_order(shop: AuditedShop) -> None:
    """One that has ended for nobody is found."""
    await shop.write("order_fulfilment-nobody", SagaCompleted())

    where = "order_fulfilment-nobody"
    assert await shop.findings() == (findings.FulfilmentWithoutOrder(where=where),)


async def test_a_saga_ends_once(shop: AuditedShop) -> None:
    """Twice completed is once too often; completed and then undone is a customer's right."""
    await shop.confirmed()
    await shop.write("order_fulfilment-1", SagaCompleted())

    assert await shop.findings() == (
        findings.EndedTwice(where="order_fulfilment-1", ends=("completed", "completed")),
    )


async def test_a_saga_ends_as_its_order_does(shop: AuditedShop) -> None:
    """A completed one has confirmed it."""
    await shop.placed()
    await shop.write("order_fulfilment-1", SagaCompleted())

    (found,) = await shop.findings()
    assert str(found) == "it is completed, and the order is placed"


def test_no_event_may_be_missing() -> None:
    """The versions of a stream follow one another, or the audit has not seen all."""
    shop = Shop()
    shop.enter(_received(version=0))
    shop.enter(_received(version=2))

    assert shop.verdict((), ()).findings == (
        findings.EventsMissing(where="stock-mug", expected=1, version=2),
    )


def _received(version: int) -> RecordedEvent:
    received = stock.StockReceived(receipt_id=f"r-{version}", quantity=1)
    metadata = (
        b'{"$correlationId":"c","$causationId":"c","command_id":"%s","schema_version":1,'
        b'"actor":"a test","occurred_at":"2026-01-01T00:00:00Z"}' % str(uuid4()).encode()
    )
    return RecordedEvent(
        id=uuid4(),
        type="StockReceived",
        data=received.model_dump_json().encode(),
        metadata_json=metadata,
        stream="stock-mug",
        version=version,
        position=version,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        decoder=SHOP.catalogue,
    )


async def test_findings_are_for_programs_too(shop: AuditedShop) -> None:
    """JSON has the kind of each, where it is, what a person would read, and every number."""
    await shop.write("order_fulfilment-nobody", SagaCompleted())

    document = (await shop.verdict()).model_dump(mode="json")
    assert document["adds_up"] is False
    assert document["findings"] == [
        {
            "where": "order_fulfilment-nobody",
            "finding": "FulfilmentWithoutOrder",
            "says": "a saga of no order",
        }
    ]


# ── exchanges ────────────────────────────────────────────────────────────────────────────────────


async def test_an_exchange_adds_up(shop: AuditedShop) -> None:
    """Goods, parcel and difference are the order's, and counted with it."""
    await shop.delivered()
    await shop.exchanged()
    verdict = await shop.verdict()

    assert (verdict.findings, verdict.under_way) == ((), ())
    assert verdict.summary.exchanges["completed"] == 1
    assert verdict.summary.units.restocked == 1
    assert str(verdict.summary.money["GBP"].kept) == "11.0"


async def test_an_exchange_that_was_closed_adds_up(shop: AuditedShop) -> None:
    """Nothing has moved for it."""
    await shop.delivered()
    await shop.closed()

    verdict = await shop.verdict()
    assert (verdict.findings, verdict.under_way) == ((), ())


async def test_an_exchange_that_is_running_is_named_and_its_order_not_judged(
    shop: AuditedShop,
) -> None:
    """Halfway through, the difference may be charged or not."""
    await shop.delivered()
    await shop.requested()
    await shop.provider.authorise(authorisation_key(EXCHANGE), "1", WORTH)
    verdict = await shop.verdict()

    assert verdict.adds_up
    (one,) = verdict.under_way
    assert (one.what, one.exchange_id) == ("an exchange is running", EXCHANGE)


async def test_goods_of_a_closed_exchange_are_a_return(shop: AuditedShop) -> None:
    """Goods that came back and that no return has are lost to the customer."""
    await shop.delivered()
    await shop.closed(received=True)

    (found,) = await shop.findings()
    assert found == findings.GoodsUnaccounted(where="order-1", exchange_id=EXCHANGE)
    assert str(found) == "the goods of exchange e came back, and no return has them"


@pytest.mark.parametrize(
    ("event", "what", "due", "moved"),
    [
        (stock.StockReserved(order_id=EXCHANGE, quantity=2), "reserved", 0, 2),
        (stock.StockDispatched(order_id=EXCHANGE, quantity=2), "dispatched", 1, 2),
    ],
)
async def test_no_other_goods_move_for_an_exchange(
    shop: AuditedShop, event: stock.StockEvent, what: str, due: int, moved: int
) -> None:
    """As many as were promised have left, and none are kept back."""
    await shop.delivered()
    await shop.exchanged()
    await shop.write("stock-bowl", event)

    (found,) = await shop.findings()
    assert isinstance(found, findings.ExchangedOtherwise)
    assert (found.where, found.what, found.due, found.moved) == ("stock-bowl", what, due, moved)


async def test_goods_that_came_back_for_an_exchange_are_on_the_shelf(shop: AuditedShop) -> None:
    """Not a piece less."""
    await shop.delivered()
    await shop.exchanged()
    account = stock.StockReceived(receipt_id=receipt_id("1", EXCHANGE), quantity=3)
    await shop.write("stock-mug", account)

    (found,) = await shop.findings()
    assert isinstance(found, findings.ExchangedOtherwise)
    assert (found.what, found.due, found.moved) == ("received", 1, 3)


async def test_the_difference_of_an_exchange_is_kept(shop: AuditedShop) -> None:
    """A penny less than the replacement costs more is found, at the order."""
    await shop.delivered()
    await shop.exchanged()
    pound = Money.parse("1.0 GBP")
    await shop.provider.refund("by mistake", authorisation_key(EXCHANGE), pound)
    await shop.tell(EXCHANGE, payments.RefundPayment(refund_id="x", amount=pound))

    (found,) = await shop.findings()
    assert isinstance(found, findings.KeptOtherwise)
    assert (found.where, str(found.due), str(found.kept)) == ("order-1", "11.0 GBP", "10.0 GBP")


async def test_a_replacement_travels_in_one_parcel(shop: AuditedShop) -> None:
    """A parcel that was cancelled at the carrier leaves a sent replacement without one."""
    await shop.delivered()
    await shop.exchanged()
    await shop.carrier.cancel("cancel", booking_key(EXCHANGE))

    assert [(found.finding, found.where) for found in await shop.findings()] == [
        ("ParcelsDisagree", "exchange-e"),
        ("NotOneParcel", "exchange-e"),
    ]


async def test_lines_are_claimed_as_long_as_their_exchange_stands(shop: AuditedShop) -> None:
    """Freed by mistake, they could come back a second time."""
    await shop.delivered()
    await shop.exchanged()
    await shop.tell("1", orders.FreeLines(exchange_id=EXCHANGE))

    (found,) = await shop.findings()
    assert isinstance(found, findings.ClaimedOtherwise)
    assert str(found) == "exchange e is completed, and its lines are not claimed"


async def test_a_saga_ends_as_its_exchange_does(shop: AuditedShop) -> None:
    """A saga that is compensated leaves no exchange open."""
    await shop.delivered()
    await shop.requested()
    await shop.write(f"goods_exchange-{EXCHANGE}", SagaCompensated())

    found = await shop.findings()
    assert (
        findings.EndedOtherwise(where="goods_exchange-e", end="compensated", status="requested")
        in found
    )


async def test_an_exchange_is_completed_once(shop: AuditedShop) -> None:
    """But it may be undone twice: goods that come too late are a return then."""
    await shop.delivered()
    await shop.exchanged()
    await shop.write(f"goods_exchange-{EXCHANGE}", SagaCompleted())

    (found,) = await shop.findings()
    assert found == findings.EndedTwice(where="goods_exchange-e", ends=("completed", "completed"))


async def test_an_exchange_that_a_person_has_settled_is_not_judged(shop: AuditedShop) -> None:
    """Where its goods and its money are, the person knows."""
    await shop.delivered()
    await shop.requested()
    await shop.write(f"goods_exchange-{EXCHANGE}", SagaResolved(by="ada", reason="by hand"))
    await shop.provider.authorise(authorisation_key(EXCHANGE), "1", WORTH)

    verdict = await shop.verdict()
    assert (verdict.findings, verdict.under_way) == ((), ())
