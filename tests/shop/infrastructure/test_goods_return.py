"""A return of goods over real sockets: each event store, and providers over HTTP."""

import asyncio  # only: eventstoredb
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from application.messages import Context
from application.shop.reactions.goods_return import saga_id
from application.shop.sagas.payment_calls import authorisation_key
from domain import orders, payments
from domain.decider import Command
from domain.values import Money
from infrastructure.connecting import opened
from infrastructure.container import Container, wired
from infrastructure.processes.service import reacting
from infrastructure.providers.simulated import Fault
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests.faults import set_faults
from tests.shop.outside import over_http
from tests.shop.stores import settings_of
from tests.stores import only_on  # only: eventstoredb
from tests.waiting import (
    until,  # only: eventstoredb
    until_true,
)

WORTH = Money.parse("15.30 GBP")
LINE = orders.OrderLine(sku="85123A", quantity=6, unit_price=Money.parse("2.55 GBP"))


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatedProviders]:
    with SimulatedProviders() as simulated:
        yield simulated


@pytest.fixture
async def container(
    servers: Mapping[str, str], simulated: SimulatedProviders, tmp_path: Path
) -> AsyncIterator[Container]:
    providers = {
        "payment_provider_uri": simulated.uris["payment_provider_uri"],
        "carrier_uri": simulated.uris["carrier_uri"],
    }
    container = wired(PROGRAM, settings_of(servers, home=tmp_path, **providers))
    parts = ["read_side"] if container.settings().one_database else []
    async with opened(container, "event_side", "outside", *parts):
        yield container


async def test_goods_that_come_back_are_paid_back_and_put_back(
    container: Container, simulated: SimulatedProviders
) -> None:
    """Although the provider acts without answering at first: given back once, restocked once."""
    id = f"o-{uuid4().hex}"
    sku = f"85123A-{id[:8]}"

    async def ask(stream_id: str, command: Command) -> None:
        context = Context.start("a test", uuid4(), datetime.now(UTC))
        await container.dispatch()(stream_id, command, context)

    async def events(stream: str) -> list[str]:
        return [one.type async for one in container.event_store().read(stream)]

    async def restocked() -> bool:
        return await events(f"stock-{sku}") == ["StockReceived"]

    provider, key = container.outside().payment_provider, authorisation_key(id)
    await provider.authorise(key, id, WORTH)
    await provider.capture(f"capture:{id}", key, WORTH)
    await ask(id, orders.PlaceOrder(lines=(replace(LINE, sku=sku),)))
    await ask(id, payments.AuthorisePayment(order_id=id, amount=WORTH))
    await ask(id, payments.CapturePayment(amount=WORTH))
    await ask(id, orders.ConfirmOrder())
    await ask(id, orders.ShipOrder(shipment_id=id))
    await set_faults(simulated, [Fault(kind="drop", call="refund", order_id=id, times=2)])

    async with reacting(container):
        back = orders.ReturnLines(return_id="r-1", lines=(orders.ReturnedLine(line=1, quantity=2),))
        await ask(id, back)
        await until_true(restocked)

    async with over_http(simulated) as outside:
        (paid,) = [one for one in await outside.audit.payments() if one.order_id == id]
    assert paid.refunded == Money.parse("5.10 GBP")
    assert await events(f"payment-{id}") == [
        "PaymentAuthorised",
        "PaymentCaptured",
        "PaymentRefunded",
    ]
    async for recorded in container.event_store().read(f"stock-{sku}"):
        assert recorded.metadata.saga_id == saga_id(id, "r-1")


# only: eventstoredb
@only_on("eventstoredb")  # a pool of connections has tasks of its own, which come and go
async def test_reacting_ends_when_it_is_cancelled(container: Container) -> None:
    """No task is left behind."""
    before = asyncio.all_tasks()
    async with reacting(container):
        await asyncio.sleep(0)
    await until(lambda: asyncio.all_tasks() <= before)


# end: eventstoredb
