"""The payload stores that the wiring makes of the settings."""

from pathlib import Path

import pytest
from dependency_injector import providers

from application.ports import StoreUnavailable
from infrastructure import filesystem
from infrastructure.connecting import opened_to_serve
from infrastructure.container import in_memory, wired
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


async def test_a_store_that_cannot_be_used_is_named_at_the_start(tmp_path: Path) -> None:
    """The service does not start, and the reason names the setting."""
    settings = settings_of({"HEADWATER_PAYLOADS_ALSO_IN": str(tmp_path / "gone")})
    container = in_memory(BANK, settings)

    with pytest.raises(StoreUnavailable, match=r"HEADWATER_PAYLOADS_ALSO_IN: .*gone"):
        async with opened_to_serve(container):
            pass


async def test_a_fault_of_the_payload_store_is_shown(tmp_path: Path) -> None:
    """Readiness names it, and the process is ready all the same: most requests need none."""
    directory = tmp_path / "payloads"
    container = in_memory(BANK, settings_of({}))
    container.payload_store.override(providers.Object(filesystem.PayloadStore(directory)))
    async with opened_to_serve(container):
        before = await container.health().readiness()
        for name in directory.iterdir():
            name.unlink()
        directory.rmdir()
        after = await container.health().readiness()

    assert before.checks["payload store"] == "ok"
    assert "is not a directory" in after.checks["payload store"]
    assert "payload store" not in after.wrong
