"""Temporal by mutual TLS: who is trusted, who is let in, and what is refused at the start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from application.ports import StoreUnavailable
from infrastructure.settings import InvalidSettings
from infrastructure.temporal.connecting import connected
from tests.refused_at_start import explained
from tests.servers.certificates import Authority, Issued
from tests.stores import settings_of
from tests.tls_front import tcp, tls_front


@asynccontextmanager
async def front(
    temporal: str, authority: Authority, host: str = "127.0.0.1"
) -> AsyncIterator[dict[str, str]]:
    """The settings for that server by TLS; it lets in those whom the authority has signed."""
    shown = authority.issue(host)
    async with tls_front(tcp(temporal), shown, clients_of=authority.file) as port:
        yield {
            "HEADWATER_SAGA_ENGINE": "temporal",
            "HEADWATER_TEMPORAL_ADDRESS": f"127.0.0.1:{port}",
            "HEADWATER_TEMPORAL_TLS": "true",
            "HEADWATER_TEMPORAL_CA_FILE": str(authority.file),
            **presenting(authority.issue("service")),
        }


def presenting(issued: Issued) -> dict[str, str]:
    return {
        "HEADWATER_TEMPORAL_CERTIFICATE_FILE": str(issued.certificate),
        "HEADWATER_TEMPORAL_KEY_FILE": str(issued.key),
    }


async def refused(given: dict[str, str]) -> str:
    with pytest.raises(InvalidSettings) as caught:
        await connected(settings_of(given), None)
    return explained(caught.value)


async def test_both_sides_present_a_certificate(temporal: str, tmp_path: Path) -> None:
    """Those of one authority. Without one, or with a stranger's, the service is not let in."""
    authority, stranger = Authority(tmp_path), Authority(tmp_path)
    async with front(temporal, authority) as given:
        await connected(settings_of(given), None)
        without = {name: given[name] for name in given.keys() - presenting(stranger.issue("x"))}
        for wrong in (without, {**given, **presenting(stranger.issue("service"))}):
            with pytest.raises(StoreUnavailable, match="TEMPORAL_CERTIFICATE_FILE"):
                await connected(settings_of(wrong), None)


async def test_a_server_that_is_not_trusted_is_refused(temporal: str, tmp_path: Path) -> None:
    """One of another authority, for another host, or without TLS."""
    authority, other = Authority(tmp_path), Authority(tmp_path)
    async with front(temporal, authority) as given:
        wrong = {**given, "HEADWATER_TEMPORAL_CA_FILE": str(other.file)}
        assert (await refused(wrong)).startswith("HEADWATER_TEMPORAL_CA_FILE: ")
        wrong = {**given, "HEADWATER_TEMPORAL_ADDRESS": temporal}
        assert (await refused(wrong)).startswith("HEADWATER_TEMPORAL_TLS: ")
    async with front(temporal, authority, host="temporal.example") as given:
        assert (await refused(given)).startswith("HEADWATER_TEMPORAL_ADDRESS: ")


async def test_files_that_cannot_be_used_are_named(temporal: str, tmp_path: Path) -> None:
    """One that is not there, one without a certificate, and a key of another certificate."""
    authority = Authority(tmp_path)
    async with front(temporal, authority) as given:
        for file in ("/nowhere.pem", given["HEADWATER_TEMPORAL_KEY_FILE"]):
            wrong = {**given, "HEADWATER_TEMPORAL_CA_FILE": file}
            assert "cannot be read as certificates" in await refused(wrong)
        wrong = {**given, "HEADWATER_TEMPORAL_KEY_FILE": str(authority.issue("other").key)}
        assert "not a certificate and its key" in await refused(wrong)
