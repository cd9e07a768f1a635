"""``headwater`` as a person uses it."""

import sys
from typing import Final

from infrastructure.shop.settings import ShopSettings
from tests.e2e.command_line import PATIENCE, CommandLine, Service, refusal, until

__all__ = [
    "COMMAND",
    "PATIENCE",
    "Service",
    "cli",
    "environment",
    "refusal",
    "running",
    "serving",
    "until",
]

COMMAND: Final = (sys.executable, "-m", "infrastructure.shop")
_SHOP: Final = CommandLine(COMMAND, ShopSettings)

cli, running, serving = _SHOP.run, _SHOP.running, _SHOP.serving
environment = _SHOP.environment
