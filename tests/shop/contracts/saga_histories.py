"""Recorded histories of every released version of the shop's sagas.

python -m tests.shop.contracts.saga_histories        writes what is missing
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from application.messages import RecordedEvent
from application.shop.sagas.goods_exchange import goods_exchange
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.service import SHOP
from domain.exchanges import CloseExchange, ReceiveGoods
from domain.orders import CancelOrder
from infrastructure.providers.simulated import Fault
from tests.contracts.saga_corpus import SagaCorpus
from tests.shop.application.sagas.exchange_world import EXCHANGE, delivered
from tests.shop.application.sagas.world import World

FULFILMENTS: Mapping[str, Sequence[Fault]] = {
    "completed": (),
    "cancelled": (),
    "delayed": (Fault(kind="unavailable", call="book", times=3),),
    "declined": (Fault(kind="decline", call="authorise"),),
    "timed out": (Fault(kind="unavailable", call="capture", times=40),),
    "undone late": (
        Fault(kind="decline", call="book"),
        Fault(kind="unavailable", call="void", times=3),
    ),
}
EXCHANGES: Mapping[str, Sequence[Fault]] = {
    "completed": (),
    "given back": (),
    "cancelled": (),
    "out of stock": (),
    "expired": (),
    "came too late": (),
    "not sent": (),
    "declined": (Fault(kind="decline", call="authorise"),),
    "delayed": (Fault(kind="unavailable", call="capture", times=30),),
}


async def _fulfilment(name: str) -> Sequence[RecordedEvent]:
    world = World(*FULFILMENTS[name])
    await world.receive(a=10, b=10)
    await world.place(a=2, b=3)
    await world.settle()
    if name == "cancelled":
        await world.tell("o-1", CancelOrder(reason="found it elsewhere"))
        await world.settle()
    return world.recorded("order_fulfilment-o-1")


async def _exchange(name: str) -> Sequence[RecordedEvent]:
    world = await delivered(*EXCHANGES[name])
    world.goods_come = name not in ("expired", "came too late", "cancelled")
    world.it_is_sent = name != "not sent"
    price = "1 GBP" if name == "given back" else "4 GBP"
    await world.exchange(price, quantity=4 if name == "out of stock" else 1)
    await world.engines_settle()
    if name == "cancelled":
        await world.tell(EXCHANGE, CloseExchange(reason="found it elsewhere"))
    if name == "came too late":
        await world.wait_out()
        await world.tell(EXCHANGE, ReceiveGoods())
    await world.settle()
    return world.recorded(f"goods_exchange-{EXCHANGE}")


SHOP_SAGAS: Final = SagaCorpus(
    home=Path(__file__).parent / "sagas",
    module="tests.shop.contracts.saga_histories",
    service=SHOP,
    stories={
        order_fulfilment.name: {name: partial(_fulfilment, name) for name in FULFILMENTS},
        goods_exchange.name: {name: partial(_exchange, name) for name in EXCHANGES},
    },
)

if __name__ == "__main__":
    SHOP_SAGAS.freeze()
