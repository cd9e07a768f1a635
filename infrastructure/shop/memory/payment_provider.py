"""A payment provider in memory."""

import asyncio
from collections.abc import Mapping

from application.shop.ports import PaymentRecord
from infrastructure.providers.simulated.connection import SimulatedConnection, Sleep
from infrastructure.providers.simulated.faults import Faults
from infrastructure.providers.simulated.ledger import Ledger
from infrastructure.shop import providers
from infrastructure.shop.memory.payments import SIMULATED_PAYMENT_PROVIDER, Payments


class PaymentProvider(providers.PaymentProvider):
    """A :class:`~application.shop.ports.PaymentProvider`."""

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        patience: float | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """After ``patience`` seconds a call raises ``OutcomeUnknown``, but may still arrive."""
        self._rules = Payments()
        simulated, ledger = SIMULATED_PAYMENT_PROVIDER, Ledger(self._rules)
        connection = SimulatedConnection(
            simulated, faults, patience=patience, sleep=sleep, ledger=ledger
        )
        super().__init__(connection)

    @property
    def records(self) -> Mapping[str, PaymentRecord]:
        """All that it has granted, by the key of its call."""
        return self._rules.records
