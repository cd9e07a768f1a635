"""``headwater keys``: issued, listed and revoked on a log of its own."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from application.api_keys import KeyText
from infrastructure.cli.main import command_line
from tests.sample.program import BANK

Servers = Mapping[str, str]


@pytest.fixture
def home(servers: Servers, tmp_path: Path) -> Servers:
    """Settings of an empty event store."""
    return {**servers, "HEADWATER_HOME": str(tmp_path / "home"), "COLUMNS": "200"}


def keys(home: Servers, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(command_line(BANK), ["keys", *arguments], env=dict(home))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.stdout if "--json" in arguments else result.output


def test_a_key_from_issue_to_revocation(home: Servers) -> None:
    """It is printed once; the list has its id, roles and end, and never the key."""
    printed = keys(home, "issue", "billing", "--role", "teller", "--expires-in", "30d")
    key = KeyText.read(printed.split()[0])
    assert key is not None
    assert "HEADWATER_API_KEYS=true" in printed

    listed = keys(home, "list")
    assert (key.id in listed, key.secret in listed, "valid" in listed) == (True, False, True)
    assert "is revoked" in keys(home, "revoke", key.id, "--reason", "leaked")
    assert "was revoked before" in keys(home, "revoke", key.id, "--reason", "again")
    (document,) = json.loads(keys(home, "list", "--json"))
    assert (document["status"], document["revoked_because"]) == ("revoked", "leaked")
    assert "digest" not in document


def test_what_cannot_be_is_refused(home: Servers) -> None:
    """With what would be right, and nothing is stored."""
    for arguments, code, says in _REFUSED:
        assert says in " ".join(keys(home, *arguments, code=code).split())
    assert keys(home, "list") == "no keys\n"


_REFUSED = [
    (["issue", "x", "--role", "king"], 2, "the service has auditor, operator, teller"),
    (["issue", "", "--role", "teller"], 2, "cannot be a name"),
    (["issue", "x"], 2, "Missing option"),
    (["issue", "x", "--role", "teller", "--expires-in", "soon"], 2, "write it like 7d"),
    (["revoke", "none", "--reason", "r"], 1, "there is no key with this id"),
    (["revoke", "none", "--reason", " "], 2, "--reason is empty"),
]
