"""The shop's simulated providers in a process of their own."""

from pathlib import Path
from typing import Final

from infrastructure.providers.simulated import process
from infrastructure.shop.providers import CARRIER, PAYMENT_PROVIDER

DECLARED: Final = "infrastructure.shop.memory:SIMULATED"


class SimulatedProviders(process.SimulatedProviders):
    """A payment provider and a carrier."""

    def __init__(self, file: Path | None = None, port: int = 0) -> None:
        """Without a file for the journal nothing is kept; port 0 is any free one."""
        super().__init__(DECLARED, file, port)

    @property
    def payment_provider_uri(self) -> str:
        return self.uri_of(PAYMENT_PROVIDER.name)

    @property
    def carrier_uri(self) -> str:
        return self.uri_of(CARRIER.name)
