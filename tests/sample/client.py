"""The bank as a test sees it, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from infrastructure.container import Container, in_memory
from tests.client import Client, serving
from tests.sample.accounts import Deposit
from tests.sample.program import BANK

TRANSFER = {"source": "a-1", "target": "a-2", "amount": 3}


class Bank(Client):
    """A client of the bank."""

    async def requested(self, **changed: Any) -> str:
        """The path of a new transfer."""
        answer = await self.post("/transfers", {**TRANSFER, **changed})
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    async def deposited(self, account: str, amount: int) -> None:
        await self.dispatch(account, Deposit(deposit_id=f"d-{amount}", amount=amount))


def id_of(path: str) -> str:
    """Of the transfer at that path."""
    return path.removeprefix("/transfers/")


def empty_bank(**settings: Any) -> Container:
    """The wiring of a bank in memory."""
    return in_memory(BANK, BANK.settings(**settings))


@asynccontextmanager
async def bank_over(container: Container, *, projects: bool = True) -> AsyncIterator[Bank]:
    """A bank with this wiring."""
    async with serving(Bank, container, projects=projects) as bank:
        yield bank
