"""A carrier in memory."""

import asyncio
from collections.abc import Mapping

from application.shop.ports import BookingRecord
from infrastructure.providers.simulated.connection import SimulatedConnection, Sleep
from infrastructure.providers.simulated.faults import Faults
from infrastructure.providers.simulated.ledger import Ledger
from infrastructure.shop import providers
from infrastructure.shop.memory.bookings import SIMULATED_CARRIER, Bookings


class Carrier(providers.Carrier):
    """A :class:`~application.shop.ports.Carrier`."""

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        patience: float | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """After ``patience`` seconds a call raises ``OutcomeUnknown``, but may still arrive."""
        self._rules = Bookings()
        simulated, ledger = SIMULATED_CARRIER, Ledger(self._rules)
        connection = SimulatedConnection(
            simulated, faults, patience=patience, sleep=sleep, ledger=ledger
        )
        super().__init__(connection)

    @property
    def records(self) -> Mapping[str, BookingRecord]:
        """All that it has granted, by the key of its call."""
        return self._rules.records
