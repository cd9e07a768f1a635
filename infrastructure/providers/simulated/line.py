"""The line to a provider in memory: where calls are slow, get lost, or arrive after all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic

from application.ports import Done, OutcomeUnknown, ProviderRefused, ProviderUnavailable
from domain.shop_values import OrderId
from infrastructure.providers.simulated.faults import Faults, Subject, Trouble
from infrastructure.providers.simulated.ledger import Answer, C, G, Ledger, Refusal, Told

Sleep = Callable[[float], Awaitable[object]]


class Line(Generic[C, G]):
    """Asks a ledger, with all the trouble that is in force."""

    def __init__(
        self,
        ledger: Ledger[C, G],
        faults: Faults,
        patience: float | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """After ``patience`` seconds the caller gives up, but not the provider."""
        self._ledger, self._faults = ledger, faults
        self._patience, self._sleep = patience, sleep
        self._under_way: set[asyncio.Future[Answer[G]]] = set()

    async def call(self, key: str, call: C) -> Told[G]:
        """What the provider answers. Raises the three errors of the port."""
        trouble = self._faults.strike(self._ledger.books.subject(key, call))

        def act() -> Answer[G]:
            return self._ledger.answer(key, call, trouble.decline)

        return _told(await self._patiently(trouble, act))

    async def find(self, key: str) -> Told[G] | None:
        """What it has answered to that key. Raises as the port says."""
        trouble = self._faults.strike(Subject("find", key, self._order_of(key)))
        try:
            await self._patiently(trouble, Done)
        except OutcomeUnknown as error:
            raise ProviderUnavailable(str(error)) from None
        entry = self._ledger.entries.get(key)
        return None if entry is None else _told(entry.answer)

    def _order_of(self, key: str) -> OrderId | None:
        entry = self._ledger.entries.get(key)
        return self._ledger.books.subject(key, entry.call).order_id if entry else None

    async def _patiently(self, trouble: Trouble, act: Callable[[], Answer[G]]) -> Answer[G]:
        if self._patience is None or trouble.slow + trouble.late <= self._patience:
            return await self._troubled(trouble, act)
        provider = asyncio.ensure_future(self._troubled(trouble, act))
        self._under_way.add(provider)
        provider.add_done_callback(self._ended)
        await self._sleep(self._patience)
        raise OutcomeUnknown(f"no answer in {self._patience:g} s")

    async def _troubled(self, trouble: Trouble, act: Callable[[], Answer[G]]) -> Answer[G]:
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

    def _ended(self, provider: asyncio.Future[Answer[G]]) -> None:
        self._under_way.discard(provider)
        if not provider.cancelled():
            provider.exception()  # nobody listens any more


def _told(answer: Answer[G]) -> Told[G]:
    if isinstance(answer, Refusal):
        raise ProviderRefused(answer.reason)
    return answer
