"""A small shop in memory to be audited: whole as it is made, and broken where a test breaks it."""

from datetime import UTC, datetime
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.ports import NO_STREAM
from application.sagas.events import SagaCompensated, SagaCompleted
from application.shop.auditing import Finding, Verdict, audit
from application.shop.reactions.goods_return import receipt_id
from application.shop.sagas.carrier_calls import booking_key
from application.shop.sagas.payment_calls import authorisation_key
from application.shop.service import SHOP
from domain import exchanges, orders, payments, shipments, stock
from domain.decider import Command, Event
from domain.orders import OrderLine, ReturnedLine
from domain.values import Money
from infrastructure import memory
from infrastructure.shop import memory as shop_memory

PRICE = Money.parse("2.5 GBP")
WORTH = PRICE * 4
EXCHANGE = "e"


class AuditedShop:
    """Ten pieces of one SKU, and orders of four."""

    def __init__(self) -> None:
        self.store = memory.EventStore(SHOP.catalogue)
        self.subscriptions = memory.Subscriptions(self.store)
        self.payloads = memory.PayloadStore()
        self.dispatch = CommandDispatch(self.store, SHOP.catalogue)
        self.provider, self.carrier = shop_memory.PaymentProvider(), shop_memory.Carrier()

    async def tell(self, id: str, *commands: Command) -> None:
        """As the service does it."""
        for command in commands:
            context = Context.start("a test", uuid4(), datetime(2026, 1, 1, tzinfo=UTC))
            await self.dispatch(id, command, context)

    async def write(self, stream: str, *events: Event) -> None:
        """LoadedStream all deciders, as nobody may."""
        context = Context.start("a test", uuid4(), datetime(2026, 1, 1, tzinfo=UTC))
        past = [recorded async for recorded in self.store.read(stream)]
        version = past[-1].version if past else NO_STREAM
        new = [SHOP.catalogue.new_event(event, uuid4(), context) for event in events]
        await self.store.append(stream, new, version)

    async def opened(self) -> "AuditedShop":
        await self.tell("mug", stock.ReceiveStock(receipt_id="opening", quantity=10))
        return self

    async def placed(self, id: str = "1") -> None:
        line = OrderLine(sku="mug", quantity=4, unit_price=PRICE)
        await self.tell(id, orders.PlaceOrder(lines=(line,)))

    async def confirmed(self, id: str = "1") -> None:
        """All that the saga does."""
        await self.placed(id)
        await self.fulfilled(id)

    async def fulfilled(self, id: str = "1") -> None:
        await self.tell("mug", stock.ReserveStock(order_id=id, quantity=4))
        await self.provider.authorise(authorisation_key(id), id, WORTH)
        await self.tell(id, payments.AuthorisePayment(order_id=id, amount=WORTH))
        await self.carrier.book(booking_key(id), id, None)
        await self.tell(id, shipments.BookShipment(order_id=id, carrier="the carrier"))
        await self.provider.capture(f"capture:{id}", authorisation_key(id), WORTH)
        await self.tell(id, payments.CapturePayment(amount=WORTH), orders.ConfirmOrder())
        await self.write(f"order_fulfilment-{id}", SagaCompleted())

    async def delivered(self, id: str = "1") -> None:
        """All that the warehouse does."""
        await self.confirmed(id)
        await self.tell(id, orders.ShipOrder(shipment_id=id))
        await self.tell("mug", stock.DispatchStock(order_id=id))
        code = self.carrier.records[booking_key(id)].tracking_code
        await self.tell(id, shipments.HandOverShipment(tracking_code=code))
        await self.tell(id, shipments.DeliverShipment(), orders.DeliverOrder())

    async def undone(self, id: str = "1") -> None:
        """An order whose payment was held and let go."""
        await self.placed(id)
        await self.tell("mug", stock.ReserveStock(order_id=id, quantity=4))
        await self.provider.authorise(authorisation_key(id), id, WORTH)
        await self.provider.void(f"void:{id}", authorisation_key(id))
        await self.tell(id, payments.AuthorisePayment(order_id=id, amount=WORTH))
        await self.tell(id, payments.VoidPayment())
        await self.tell("mug", stock.ReleaseStock(order_id=id))
        await self.compensated(id)

    async def compensated(self, id: str = "1") -> None:
        await self.tell(id, orders.CancelOrder(reason="no longer wanted"))
        await self.write(f"order_fulfilment-{id}", SagaCompensated())

    async def came_back(self, quantity: int = 1, id: str = "1") -> None:
        """Goods of a delivered order, with nothing done about it yet."""
        lines = (ReturnedLine(line=1, quantity=quantity),)
        await self.tell(id, orders.ReturnLines(return_id="r", lines=lines))

    async def requested(self, price: str = "3.5 GBP") -> None:
        """One piece of a delivered order is to be exchanged for a bowl; the order knows it."""
        await self.tell("bowl", stock.ReceiveStock(receipt_id="opening", quantity=5))
        back = exchanges.GoodsBack(line=1, sku="mug", quantity=1, unit_price=PRICE)
        bowl = exchanges.Replacement(sku="bowl", quantity=1, unit_price=Money.parse(price))
        request = exchanges.RequestExchange(order_id="1", back=(back,), replacements=(bowl,))
        await self.tell(EXCHANGE, request)
        lines = (ReturnedLine(line=1, quantity=1),)
        await self.tell("1", orders.ClaimLines(exchange_id=EXCHANGE, lines=lines))

    async def exchanged(self) -> None:
        """All that the saga of an exchange does, and the warehouse for it; a pound is charged."""
        await self.requested()
        await self.tell(EXCHANGE, exchanges.ReceiveGoods())
        await self.tell("bowl", stock.ReserveStock(order_id=EXCHANGE, quantity=1))
        pound = Money.parse("1.0 GBP")
        await self.provider.authorise(authorisation_key(EXCHANGE), "1", pound)
        await self.tell(EXCHANGE, payments.AuthorisePayment(order_id="1", amount=pound))
        await self.carrier.book(booking_key(EXCHANGE), "1", None)
        await self.tell(EXCHANGE, shipments.BookShipment(order_id="1", carrier="the carrier"))
        await self.tell(EXCHANGE, exchanges.ApproveExchange(), exchanges.SendReplacement())
        await self.tell("bowl", stock.DispatchStock(order_id=EXCHANGE))
        receipt = receipt_id("1", EXCHANGE)
        await self.tell("mug", stock.ReceiveStock(receipt_id=receipt, quantity=1))
        await self.provider.capture("capture", authorisation_key(EXCHANGE), pound)
        await self.tell(EXCHANGE, payments.CapturePayment(amount=pound))
        await self.tell(EXCHANGE, exchanges.CompleteExchange())
        await self.write(f"goods_exchange-{EXCHANGE}", SagaCompleted())

    async def closed(self, *, received: bool = False) -> None:
        """An exchange that does not take place; where goods came back they are a return."""
        await self.requested()
        if received:
            await self.tell(EXCHANGE, exchanges.ReceiveGoods())
        await self.tell("1", orders.FreeLines(exchange_id=EXCHANGE))
        await self.tell(EXCHANGE, exchanges.CloseExchange(reason="too late"))
        await self.write(f"goods_exchange-{EXCHANGE}", SagaCompensated())

    async def verdict(self) -> Verdict:
        providers = shop_memory.Audit(self.provider, self.carrier)
        return await audit(self.subscriptions, self.payloads, providers)

    async def findings(self) -> tuple[Finding, ...]:
        return (await self.verdict()).findings
