"""Secrets that stand in files, as Docker and Kubernetes hand them out."""

from pathlib import Path

import pytest

from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse

TOKEN = "a-token-of-sixteen"


@pytest.mark.parametrize("content", [TOKEN, f"{TOKEN}\n", f"{TOKEN}\r\n"])
def test_a_secret_may_stand_in_a_file(tmp_path: Path, content: str) -> None:
    """Its one line, without the end of the line; spaces are part of it."""
    (tmp_path / "token").write_bytes(content.encode())

    found = parse(Settings, {"HEADWATER_API_TOKEN_FILE": str(tmp_path / "token")})

    assert found.api_token is not None
    assert found.api_token.get_secret_value() == TOKEN


def test_an_address_with_its_password_may_stand_in_a_file(tmp_path: Path) -> None:
    """What a variable would show to every child of the process."""
    (tmp_path / "uri").write_text("postgresql://bank:secret@db/bank\n")

    found = parse(Settings, {"HEADWATER_POSTGRES_URI_FILE": str(tmp_path / "uri")})

    assert found.postgres_uri == "postgresql://bank:secret@db/bank"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        (b"", "one line"),
        (b"\n", "one line"),
        (b"one\ntwo", "one line"),
        (b"x" * 70_000, "one line"),
        (b"\xff", "not UTF-8"),
        (b"too-short", "16 to 256"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """With the variable and the reason, and without what is in it."""
    if content is not None:
        (tmp_path / "token").write_bytes(content)

    with pytest.raises(InvalidSettings, match=reason) as refused:
        parse(Settings, {"HEADWATER_API_TOKEN_FILE": str(tmp_path / "token")})

    assert "HEADWATER_API_TOKEN" in str(refused.value)
    assert "too-short" not in str(refused.value)


def test_a_secret_is_set_in_one_place(tmp_path: Path) -> None:
    """Both at once are refused; so is a file for what is no secret."""
    (tmp_path / "token").write_text(TOKEN)
    named = {"HEADWATER_API_TOKEN_FILE": str(tmp_path / "token")}

    with pytest.raises(InvalidSettings, match="set one of them"):
        parse(Settings, {**named, "HEADWATER_API_TOKEN": TOKEN})
    with pytest.raises(InvalidSettings, match="HEADWATER_HTTP_PORT"):
        parse(Settings, {"HEADWATER_HTTP_PORT_FILE": str(tmp_path / "token")})
