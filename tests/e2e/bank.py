"""The command line of the bank."""

import sys
from typing import Final

from infrastructure.settings import Settings
from tests.e2e.command_line import CommandLine

BANK: Final = CommandLine((sys.executable, "-m", "tests.sample"), Settings)

NOWHERE: Final[dict[str, str]] = {
    # no server is there
    "HEADWATER_EVENTSTOREDB_URI": "esdb://admin:hush@127.0.0.1:1?tls=false",  # only: eventstoredb
    "HEADWATER_POSTGRES_URI": "postgresql://admin:hush@127.0.0.1:1/bank",  # only: postgres
}
"""Servers that are not there."""
