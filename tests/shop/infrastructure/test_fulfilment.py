"""The fulfilment of an order over HTTP: how it stands, and what became of each step."""

from domain.stock import ReceiveStock
from infrastructure.providers.simulated import Fault, Faults
from tests.shop.infrastructure.fulfilling import IMPATIENT, fulfilling
from tests.shop.infrastructure.shop import empty_shop, shop_over
from tests.waiting import until_true


async def test_an_order_shows_how_its_fulfilment_stands() -> None:
    """Status, steps and attempts; 404 as a problem for an order without a saga."""
    faults = Faults([Fault(kind="unavailable", call="book", times=2)])
    async with shop_over(empty_shop()) as shop, fulfilling(shop.container, faults):
        await shop.dispatch("85123A", ReceiveStock(receipt_id="r-1", quantity=100))
        order = await shop.placed()

        async def is_completed() -> bool:
            answer = await shop.http.get(f"{order}/fulfilment")
            return answer.status_code == 200 and answer.json()["status"] == "completed"

        await until_true(is_completed)
        shown = (await shop.get(f"{order}/fulfilment")).json()
        assert [(entry["name"], entry["outcome"]) for entry in shown["timeline"]] == [
            (step.name, "completed") for step in IMPATIENT.steps
        ]
        assert shown["timeline"][3]["attempts"] == 3
        assert "state" not in shown

        missing = await shop.get("/orders/nobody/fulfilment")
        assert missing.status_code == 404
        assert missing.json()["type"] == "urn:headwater:problem:unknown-saga"
