"""The line to a provider in memory: where calls are slow, get lost, or arrive after all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from application.ports import (
    Authorised,
    Booked,
    Declined,
    Done,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from infrastructure.memory.faults import Faults, Subject, Trouble
from infrastructure.memory.ledger import Answer, Call, Ledger, Refusal

C = TypeVar("C", bound=Call)
Sleep = Callable[[float], Awaitable[object]]
Told = Authorised | Booked | Declined | Done


class Line(Generic[C]):
    """Asks a ledger, with all the trouble that is in force."""

    def __init__(
        self, ledger: Ledger[C], faults: Faults, patience: float | None, sleep: Sleep
    ) -> None:
        """After ``patience`` seconds the caller gives up, but not the provider."""
        self._ledger, self._faults = ledger, faults
        self._patience, self._sleep = patience, sleep
        self._under_way: set[asyncio.Future[Answer]] = set()

    async def call(self, key: str, call: C) -> Told:
        """What the provider answers. Raises the three errors of the port."""
        trouble = self._faults.strike(self._ledger.books.subject(key, call))

        def act() -> Answer:
            return self._ledger.answer(key, call, trouble.decline)

        return _told(await self._patiently(trouble, act))

    async def find(self, key: str) -> Told | None:
        """What it has answered to that key. Raises as the port says."""
        entry = self._ledger.entries.get(key)
        trouble = self._faults.strike(Subject("find", key))
        try:
            await self._patiently(trouble, lambda: Done())
        except OutcomeUnknown as error:
            raise ProviderUnavailable(str(error)) from None
        entry = self._ledger.entries.get(key)
        return None if entry is None else _told(entry.answer)

    async def _patiently(self, trouble: Trouble, act: Callable[[], Answer]) -> Answer:
        if self._patience is None or trouble.slow + trouble.late <= self._patience:
            return await self._troubled(trouble, act)
        provider = asyncio.ensure_future(self._troubled(trouble, act))
        self._under_way.add(provider)
        provider.add_done_callback(self._ended)
        await self._sleep(self._patience)
        raise OutcomeUnknown(f"no answer in {self._patience:g} s")

    async def _troubled(self, trouble: Trouble, act: Callable[[], Answer]) -> Answer:
        if trouble.slow:
            await self._sleep(trouble.slow)
        if trouble.unavailable:
            raise ProviderUnavailable("the provider is out of order")
        answer = act()
        if trouble.twice:
            answer = act()
        if trouble.late:
            await self._sleep(trouble.late)
        if trouble.drop:
            raise OutcomeUnknown("the connection broke before the answer came")
        return answer

    def _ended(self, provider: asyncio.Future[Answer]) -> None:
        self._under_way.discard(provider)
        if not provider.cancelled():
            provider.exception()  # nobody listens any more


def _told(answer: Answer) -> Told:
    if isinstance(answer, Refusal):
        raise ProviderRefused(answer.reason)
    return answer
