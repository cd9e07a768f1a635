"""Servers that are set and not there, or not set: said in one line."""

from pathlib import Path

import pytest

from tests.e2e.bank import BANK, NOWHERE
from tests.e2e.command_line import refusal


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nobody at the address: one line with the address and without the password, exit code 1."""
    ended = BANK.run(tmp_path / "home", "stream", "account-a", **NOWHERE)

    assert "127.0.0.1:1" in refusal(ended, 1)
    assert "hush" not in ended.stderr


@pytest.mark.parametrize("missing", NOWHERE)
def test_serving_needs_servers(tmp_path: Path, missing: str) -> None:
    """``serve`` starts no server: it names what has to be set, and does not hang."""
    servers = {name: uri for name, uri in NOWHERE.items() if name != missing}
    assert missing in refusal(BANK.run(tmp_path / "home", "serve", **servers), 2)
