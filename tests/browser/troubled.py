"""A bank in which there is something to see on every page, in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from application.operating.carrying_out import By
from application.operating.read_models import DeployReadModel
from application.ports import NO_STREAM
from infrastructure.processes.service import reacting
from tests.browser.following import Followed, followed
from tests.browser.serving import answered
from tests.contracts.made_up import event
from tests.infrastructure.test_http_operations import has_failed
from tests.sample.client import Bank, empty_bank


@asynccontextmanager
async def troubled() -> AsyncIterator[tuple[str, Followed]]:
    """Its address, and all its pages that links lead to.

    It has a transfer, a read model with two builds, one that stopped, and a parked event.
    """
    container, apps = empty_bank(), list[FastAPI]()
    async with answered(container, apps.append) as url, reacting(container):
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            bank = Bank(http, container)
            await bank.deposited("a-1", 50)
            await bank.requested(notes=["for the rent"])
            by = By("ada", "its form has changed")
            await container.operating().carry_out(DeployReadModel("balances"), by)
            await _parked(bank)
            bad = event("TransferRequested", b'{"amount": "none"}')
            await container.streams().append("transfer-bad", [bad], NO_STREAM)
            await has_failed(bank, "transfer_summary")
        site = apps[0].state.console
        yield url, await followed(url, site.sections, site)


async def _parked(bank: Bank) -> None:
    await bank.container.streams().append("transfer-p", [event("TransferApproved")], NO_STREAM)
    async for recorded in bank.container.event_store().read("transfer-p"):
        await bank.container.parking("thanks").park(recorded, "LookupError: no address", 3)
