"""S3 by TLS: a private authority beside those of the system, and what is refused."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from application.ports import StoreUnavailable
from infrastructure.container import wired
from infrastructure.settings import InvalidSettings
from tests.refused_at_start import explained
from tests.sample.program import BANK
from tests.servers import S3
from tests.servers.certificates import Authority
from tests.stores import settings_of
from tests.tls_front import tcp, tls_front


@pytest.fixture
def bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket, and the credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    return s3.bucket()


async def checked(bucket: str, port: int, **more: object) -> None:
    """As at the start of the service."""
    given = {
        "HEADWATER_PAYLOAD_STORE": "s3",
        "HEADWATER_S3_BUCKET": bucket,
        "HEADWATER_S3_ENDPOINT": f"https://127.0.0.1:{port}",
        **{f"HEADWATER_S3_{name.upper()}": str(value) for name, value in more.items()},
    }
    await wired(BANK, settings_of(given)).payloads().check()


async def refused(bucket: str, port: int, **more: object) -> str:
    with pytest.raises((StoreUnavailable, InvalidSettings)) as caught:
        await checked(bucket, port, **more)
    return explained(caught.value)


async def test_a_private_authority_is_trusted(s3: S3, bucket: str, tmp_path: Path) -> None:
    """With its file. Without it, or with another one, the setting is named."""
    authority, other = Authority(tmp_path), Authority(tmp_path)
    reach = tcp(urlsplit(s3.endpoint).netloc)
    async with tls_front(reach, authority.issue("127.0.0.1")) as port:
        await checked(bucket, port, ca_file=authority.file)
        for wrong in ({}, {"ca_file": other.file}):
            reason = await refused(bucket, port, **wrong)
            assert reason.startswith("HEADWATER_S3_CA_FILE: https://127.0.0.1:")
            assert "cannot be trusted" in reason
        assert "cannot be read as certificates" in await refused(bucket, port, ca_file="/nowhere")


async def test_a_certificate_for_another_host_is_refused(
    s3: S3, bucket: str, tmp_path: Path
) -> None:
    """Although its authority is trusted."""
    authority = Authority(tmp_path)
    reach = tcp(urlsplit(s3.endpoint).netloc)
    async with tls_front(reach, authority.issue("s3.example")) as port:
        assert "to a host that the certificate names" in await refused(
            bucket, port, ca_file=authority.file
        )


def test_certificates_are_for_an_endpoint_with_tls() -> None:
    """AWS is trusted by what the system trusts, and without TLS there is nothing to trust."""
    given = {
        "HEADWATER_PAYLOAD_STORE": "s3",
        "HEADWATER_S3_BUCKET": "any",
        "HEADWATER_S3_CA_FILE": "ca.pem",
    }
    for endpoint in ({}, {"HEADWATER_S3_ENDPOINT": "http://127.0.0.1:1"}):
        with pytest.raises(InvalidSettings, match=r"HEADWATER_S3_CA_FILE: .* https://"):
            settings_of({**given, **endpoint})
