"""What only a directory can get wrong."""

import asyncio
from pathlib import Path

import pytest

from application.ports import PayloadUnavailable, StoreUnavailable
from infrastructure.filesystem import PayloadStore


async def test_payloads_outlive_the_store(tmp_path: Path) -> None:
    """Another store on the same directory, as after a restart, finds every payload."""
    digest = await PayloadStore(tmp_path).put(b"kept")

    assert await PayloadStore(tmp_path).get(digest) == b"kept"


async def test_a_damaged_payload_is_not_passed_off_as_the_real_one(tmp_path: Path) -> None:
    """Content whose hash is not its name is refused."""
    payloads = PayloadStore(tmp_path)
    digest = await payloads.put(b"genuine")
    (tmp_path / digest).write_bytes(b"damaged")

    with pytest.raises(PayloadUnavailable, match="damaged"):
        await payloads.get(digest)


async def test_putting_again_repairs(tmp_path: Path) -> None:
    """A payload that was cut off or damaged is replaced when its content is put again."""
    payloads = PayloadStore(tmp_path)
    digest = await payloads.put(b"genuine")
    (tmp_path / digest).write_bytes(b"gen")

    await payloads.put(b"genuine")

    assert await payloads.get(digest) == b"genuine"


async def test_a_crash_half_way_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    """What a killed writer left behind is not taken for a payload, and does not disturb."""
    payloads = PayloadStore(tmp_path)
    (tmp_path / "draft-of-a-killed-writer").write_bytes(b"half a payl")

    digest = await payloads.put(b"half a payload and the rest")

    assert await payloads.get(digest) == b"half a payload and the rest"
    assert _names(tmp_path) == {"draft-of-a-killed-writer", digest}


async def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The refusal says which directory cannot be written, and why."""
    (tmp_path / "taken").write_text("a file stands where the directory should be")

    with pytest.raises(StoreUnavailable, match="taken"):
        await PayloadStore(tmp_path / "taken").put(b"homeless")


async def test_many_writers_of_different_payloads_lose_none(tmp_path: Path) -> None:
    """Payloads put at the same time, by stores that share a directory, are all there."""
    stores = [PayloadStore(tmp_path / "shared") for _ in range(4)]
    contents = [str(number).encode() * 5000 for number in range(40)]

    digests = await asyncio.gather(
        *(stores[number % 4].put(content) for number, content in enumerate(contents))
    )

    assert [await stores[0].get(digest) for digest in digests] == contents


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}
