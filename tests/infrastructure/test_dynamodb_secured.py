"""DynamoDB at an endpoint with TLS: a private authority, and what is refused at the start."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infrastructure.connecting import opened
from infrastructure.container import wired
from infrastructure.settings import InvalidSettings
from tests.dynamodb.opened import empty_tables
from tests.refused_at_start import refused_at_start
from tests.sample.program import BANK
from tests.servers.certificates import Authority
from tests.stores import settings_of
from tests.tls_front import tcp, tls_front


def at(tables: dict[str, str], port: int, **more: object) -> dict[str, str]:
    return {
        **tables,
        "HEADWATER_EVENT_STORE": "dynamodb",
        "HEADWATER_DYNAMODB_URI": f"https://127.0.0.1:{port}",
        **{f"HEADWATER_DYNAMODB_{name.upper()}": str(value) for name, value in more.items()},
    }


async def test_a_private_authority_is_trusted(dynamodb: str, tmp_path: Path) -> None:
    """With its file. Another one, and one for another host, are refused with the setting."""
    tables = dict(empty_tables(dynamodb))
    authority, other = Authority(tmp_path), Authority(tmp_path)
    reach = tcp(urlsplit(dynamodb).netloc)
    async with tls_front(reach, authority.issue("127.0.0.1")) as port:
        given = at(tables, port, ca_file=authority.file)
        async with opened(wired(BANK, settings_of(given)), "event_side"):
            pass
        reason = await refused_at_start(at(tables, port, ca_file=other.file), "event_side")
        assert reason.startswith("HEADWATER_DYNAMODB_CA_FILE: https://127.0.0.1:")
        reason = await refused_at_start(at(tables, port, ca_file="/nowhere"), "event_side")
        assert "cannot be read as certificates" in reason
    async with tls_front(reach, authority.issue("dynamodb.example")) as port:
        given = at(tables, port, ca_file=authority.file)
        assert "to a host that it names" in await refused_at_start(given, "event_side")


def test_certificates_are_for_an_endpoint_with_tls() -> None:
    """AWS is trusted by what its tools trust."""
    given = {"HEADWATER_EVENT_STORE": "dynamodb", "HEADWATER_DYNAMODB_CA_FILE": "ca.pem"}
    with pytest.raises(InvalidSettings, match=r"HEADWATER_DYNAMODB_CA_FILE: .* https://"):
        settings_of(given)
