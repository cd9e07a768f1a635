"""A shop with orders in it, for the browser."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest_asyncio
from fastapi import FastAPI

from application.shop.importing import import_history
from infrastructure.processes.catching_up import caught_up
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.shop.online_retail import SAMPLE, History
from infrastructure.shop.pages import sections
from tests.browser.following import Followed, followed
from tests.browser.serving import answered
from tests.shop.infrastructure.fulfilling import fulfilling
from tests.shop.infrastructure.shop import ORDER, empty_shop
from tests.waiting import PATIENCE, until_true


@dataclass(frozen=True)
class OpenShop:
    """The address of a shop, the orders whose fulfilment has ended, and its troubles."""

    url: str
    faults: Faults
    completed: str
    undone: str
    found: Followed
    """The shop's pages that links lead to."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop() -> AsyncIterator[OpenShop]:
    """The sample, an order that was fulfilled, and one whose payment was declined; in memory."""
    container, apps = empty_shop(), list[FastAPI]()
    faults = Faults()
    async with answered(container, apps.append) as url, fulfilling(container, faults):
        await import_history(History(SAMPLE), container.dispatch())
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as http:
            receipt = {"quantity": 100}
            await http.post("/stock/85123A/receipts", json=receipt)
            completed = await _ended(http, "completed")
            faults.set([Fault(kind="decline", call="authorise", times=1)])
            undone = await _ended(http, "compensated")
        await caught_up(container, patience=PATIENCE)
        found = await followed(url, sections(), apps[0].state.console)
        yield OpenShop(url, faults, completed, undone, found)


async def _ended(http: httpx.AsyncClient, status: str) -> str:
    """The id of a new order whose fulfilment came to that end."""
    placed = await http.post("/orders", json=ORDER)
    path = placed.headers["Location"]

    async def has_ended() -> bool:
        answer = await http.get(f"{path}/fulfilment")
        return answer.status_code == 200 and answer.json()["status"] == status

    await until_true(has_ended)
    return str(path.removeprefix("/orders/"))
