"""The command line of the bank."""

import sys
from typing import Final

from infrastructure.settings import Settings
from tests.e2e.command_line import CommandLine

BANK: Final = CommandLine((sys.executable, "-m", "tests.sample"), Settings)

NOWHERE: Final = {
    "HEADWATER_EVENTSTOREDB_URI": "esdb://127.0.0.1:1",
    "HEADWATER_POSTGRES_URI": "postgresql://127.0.0.1:1",
}
"""Servers that are not there."""
