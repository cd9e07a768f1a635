"""Servers that are set and not there, or not set: said in one line."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.bank import BANK, NOWHERE
from tests.e2e.command_line import refusal
from tests.stores import USUAL  # only: postgres_events

ADDRESS: Final = r"127\.0\.0\.1(:|\", port )1\b"
"""As our own words have it, or as a client does."""


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nobody at the address: one line with the address and without the password, exit code 1."""
    ended = BANK.run(tmp_path / "home", "stream", "account-a", **NOWHERE)

    assert re.search(ADDRESS, refusal(ended, 1))
    assert "hush" not in ended.stderr


# only: postgres_events
def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The same for a database of events: the pool's own warning is not printed beside it."""
    uri = NOWHERE["HEADWATER_POSTGRES_URI"]
    chosen = {"HEADWATER_EVENT_STORE": USUAL[-1], "HEADWATER_POSTGRES_URI": uri}
    ended = BANK.run(tmp_path / "home", "stream", "account-a", **chosen)

    assert re.search(ADDRESS, refusal(ended, 1))
    assert "hush" not in ended.stderr


# end: postgres_events


@pytest.mark.parametrize("missing", NOWHERE)
def test_serving_needs_servers(tmp_path: Path, missing: str) -> None:
    """``serve`` starts no server: it names what has to be set, and does not hang."""
    servers = {name: uri for name, uri in NOWHERE.items() if name != missing}
    assert missing in refusal(BANK.run(tmp_path / "home", "serve", **servers), 2)
