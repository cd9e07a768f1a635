"""The shop's simulated providers in a process of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infrastructure.providers.simulated import process
from infrastructure.shop.providers import SETTINGS

DECLARED: Final = "infrastructure.shop.memory:SIMULATED"


class SimulatedProviders(process.SimulatedProviders):
    """Every provider of the shop."""

    def __init__(self, file: Path | None = None, port: int = 0) -> None:
        """Without a file for the journal nothing is kept; port 0 is any free one."""
        super().__init__(DECLARED, file, port)

    @property
    def uris(self) -> Mapping[str, str]:
        """The address of each, by the setting that leads to it."""
        return {setting: self.uri_of(provider.name) for setting, provider in SETTINGS.items()}
