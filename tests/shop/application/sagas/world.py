"""The shop in memory with a clock of its own: nothing waits, time passes when it is told to."""

from collections import Counter
from typing import Any

from application.sagas.state import SagaStatus
from application.shop.ports import Outside
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.service import SHOP
from domain.orders import PlaceOrder
from domain.stock import ReceiveStock
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.shop import memory as shop_memory
from tests.application.sagas import world
from tests.application.sagas.world import Watched


class World(world.World[Outside]):
    """A shop, its providers, and an engine that may be killed and started again."""

    def __init__(self, *faults: Fault, seed: int = 0) -> None:
        super().__init__(SHOP, order_fulfilment, faults, seed)

    def opened(self, faults: Faults) -> Outside:
        self.payment_provider = shop_memory.PaymentProvider(
            faults, patience=world.PATIENCE, sleep=self.sleep
        )
        self.carrier = shop_memory.Carrier(faults, patience=world.PATIENCE, sleep=self.sleep)
        audit = shop_memory.Audit(self.payment_provider, self.carrier)
        return Outside(self.payment_provider, self.carrier, audit)

    def watched_outside(self) -> Outside:
        payment_provider = Watched(self.payment_provider, self.moments)
        carrier = Watched(self.carrier, self.moments)
        return Outside(payment_provider, carrier, self.outside.audit)

    async def receive(self, **units: int) -> None:
        for sku, quantity in units.items():
            await self.tell(sku, ReceiveStock(receipt_id=f"r{self.now:%f}", quantity=quantity))

    async def place(self, order_id: str = "o-1", price: str = "2.5 GBP", **units: int) -> None:
        lines = [
            {"sku": sku, "quantity": quantity, "unit_price": price}
            for sku, quantity in units.items()
        ]
        await self.tell(order_id, PlaceOrder.model_validate({"lines": lines}))

    # ── what can be seen afterwards ──────────────────────────────────────────────────────────────

    def adds_up(self) -> None:
        """Whatever happened: nothing is left over, here or at the providers, and nothing twice."""
        placed = [of for of in self.store.after(-1, 100_000) if of.type == "OrderPlaced"]
        for recorded in placed:
            id = recorded.stream_id
            match self.saga(id).status:
                case SagaStatus.COMPLETED:
                    self._is_kept(id)
                case SagaStatus.COMPENSATED:
                    self._is_gone(id)
                case other:
                    raise AssertionError(f"{id} is {other}: {self.saga(id).reason}")
            self._agrees(id)

    def _is_kept(self, id: str) -> None:
        order = self.folded(f"order-{id}")
        assert order.status == "confirmed"
        worth = sum(line.unit_price.amount * line.quantity for line in order.placed.lines)
        paid = [p for p in self.payment_provider.records.values() if p.order_id == id]
        assert [p.captured.amount for p in paid] == [worth] * (worth > 0)
        assert not any(p.refunded.amount for p in paid)
        alive = [b for b in self.carrier.records.values() if b.order_id == id]
        assert [b.cancelled for b in alive] == [False]
        for sku, quantity in _units(order).items():
            assert self.folded(f"stock-{sku}").reserved[id] == quantity

    def _is_gone(self, id: str) -> None:
        order = self.folded(f"order-{id}")
        assert order.status == "cancelled"
        for payment in self.payment_provider.records.values():
            assert payment.held.amount == 0
            assert payment.order_id != id or payment.captured == payment.refunded
        for booking in self.carrier.records.values():
            assert booking.order_id != id or booking.cancelled
        for sku in _units(order):
            assert id not in self.folded(f"stock-{sku}").reserved

    def _agrees(self, id: str) -> None:
        """What we recorded is what the providers have in their books."""
        ours = self.folded(f"payment-{id}")
        theirs = self.payment_provider.records.get(f"authorise:{id}")
        assert (ours.status not in (None, "declined")) == (theirs is not None)
        if theirs is not None:
            assert (ours.status == "voided") == theirs.voided
            assert (ours.captured.amount if ours.captured else 0) == theirs.captured.amount
            assert sum(of.amount for of in ours.refunds.values()) == theirs.refunded.amount
        booked, parcel = (
            self.folded(f"shipment-{id}"),
            self.carrier.records.get(f"book:{id}"),
        )
        assert (booked.status is not None) == (parcel is not None)
        if parcel is not None:
            assert (booked.status == "cancelled") == parcel.cancelled


def _units(order: Any) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in order.placed.lines:
        units[line.sku] += line.quantity
    return units
