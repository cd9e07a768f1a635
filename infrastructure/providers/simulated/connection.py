"""The connection to a simulated provider: calls are slow, get lost, or arrive after all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic

from application.ports import (
    Declined,
    Done,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from infrastructure.providers.provider import FIND, C, G, R
from infrastructure.providers.simulated.faults import Faults, Trouble
from infrastructure.providers.simulated.ledger import Ledger
from infrastructure.providers.simulated.rules import Answer, Refusal, SimulatedProvider, Subject

Sleep = Callable[[float], Awaitable[object]]


class SimulatedConnection(Generic[C, G, R]):
    """Calls a provider in memory, with all the trouble that is in force."""

    def __init__(
        self,
        simulated: SimulatedProvider[C, G, R],
        faults: Faults | None = None,
        *,
        patience: float | None = None,
        sleep: Sleep = asyncio.sleep,
        ledger: Ledger[C, G, R] | None = None,
    ) -> None:
        """After ``patience`` seconds a call raises ``OutcomeUnknown``, but may still arrive.

        ``ledger``: goes on with that one; ``None``: the provider has done nothing yet.
        """
        self._simulated, self._name = simulated, simulated.provider.name
        self._faults = Faults() if faults is None else faults
        self._ledger = Ledger(simulated.rules()) if ledger is None else ledger
        self._patience, self._sleep = patience, sleep
        self._under_way: set[asyncio.Future[Answer[G]]] = set()

    async def call(self, key: str, call: C) -> G | Declined | Done:
        name, subject = self._simulated.provider.name_of(call), self._ledger.rules.subject(call)
        trouble = self._faults.strike(self._name, name, key, subject)
        decline = (trouble.reason or self._simulated.declines) if trouble.decline else None

        def act() -> Answer[G]:
            return self._ledger.answer(key, call, decline)

        return _answered(await self._patiently(trouble, act))

    async def find(self, key: str) -> G | Declined | Done | None:
        trouble = self._faults.strike(self._name, FIND, key, self._subject_of(key))
        try:
            await self._patiently(trouble, Done)
        except OutcomeUnknown as error:
            raise ProviderUnavailable(str(error)) from None
        entry = self._ledger.entries.get(key)
        return None if entry is None else _answered(entry.answer)

    async def records(self) -> Sequence[R]:
        return list(self._ledger.rules.records.values())

    def _subject_of(self, key: str) -> Subject:
        """Looking is about what the call was about, whatever its amount."""
        entry = self._ledger.entries.get(key)
        return Subject(self._ledger.rules.subject(entry.call).fields) if entry else Subject()

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
            provider.exception()  # its caller has gone


def _answered(answer: Answer[G]) -> G | Declined | Done:
    if isinstance(answer, Refusal):
        raise ProviderRefused(answer.reason)
    return answer
