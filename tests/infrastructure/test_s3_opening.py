"""Payloads in a bucket, by the settings."""

from pathlib import Path

import pytest

from infrastructure import filesystem
from infrastructure.container import wired
from tests.payload_stores import payloads_on
from tests.sample.program import BANK
from tests.servers import S3
from tests.stores import settings_of


async def test_payloads_move_from_a_directory_to_a_bucket(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the directory of yesterday named as well, old payloads are read, new ones in S3."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    old = await filesystem.PayloadStore(tmp_path).put(b"yesterday's")
    bucket = s3.bucket()
    settings = {
        "HEADWATER_PAYLOAD_STORE": "s3",
        "HEADWATER_S3_BUCKET": bucket,
        "HEADWATER_S3_PREFIX": "bank",
        "HEADWATER_S3_ENDPOINT": s3.endpoint,
        "HEADWATER_PAYLOADS_ALSO_IN": str(tmp_path),
    }
    payloads = wired(BANK, settings_of(settings)).payloads()
    await payloads.check()

    new = await payloads.put(b"today's")

    assert await payloads.get(old) == b"yesterday's"
    assert await payloads_on(s3, bucket, "bank").get(new) == b"today's"
