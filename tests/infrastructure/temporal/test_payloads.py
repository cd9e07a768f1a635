"""What is large is in the payload store, and not in Temporal's histories."""

import pytest
from cryptography.exceptions import InvalidTag
from temporalio.api.common.v1 import Payload

from application.ports import PayloadUnavailable
from infrastructure import memory
from infrastructure.temporal.converting import LARGEST, ClaimCheck, data_converter

LARGE = "x" * 3_000_000  # Temporal refuses 2 MB


async def test_a_large_value_is_a_reference() -> None:
    """It comes back as it was, and takes next to nothing in the history; a small one stays."""
    converter = data_converter(memory.PayloadStore())
    large, small = await converter.encode([LARGE]), await converter.encode(["small"])

    assert sum(one.ByteSize() for one in large) < 200
    assert small == await data_converter().encode(["small"])
    assert await converter.decode(large, [str]) == [LARGE]
    assert await converter.decode(small, [str]) == ["small"]


async def test_a_value_that_is_gone_is_no_other_value() -> None:
    """Where its payload is missing, the reference leads to an error."""
    reference = await data_converter(memory.PayloadStore()).encode([LARGE])
    with pytest.raises(PayloadUnavailable):
        await ClaimCheck(memory.PayloadStore()).decode(reference)


@pytest.mark.parametrize("size", [LARGEST // 2, LARGEST * 2])
async def test_the_limit_is_that_of_events(size: int) -> None:
    """10 KB, as in the event store."""
    codec = ClaimCheck(memory.PayloadStore())
    (kept,) = await codec.encode([Payload(data=b"x" * size)])
    assert (kept.metadata.get("encoding") == b"binary/claim-check") == (size > LARGEST)


async def key() -> bytes:
    return bytes(32)


async def test_a_value_is_encrypted_where_there_is_a_key() -> None:
    """Neither the history nor the payload store can be read; with the key it is what it was."""
    kept = memory.PayloadStore()
    converter = data_converter(kept, key)
    for value in ("for the operation", f"for the operation {LARGE}"):
        (sealed,) = await converter.encode([value])
        written = [sealed.SerializeToString()]
        written += [await kept.get(one.digest) async for one in kept.stored()]

        assert not [one for one in written if b"operation" in one]
        assert await converter.decode([sealed], [str]) == [value]


async def test_what_was_written_in_the_clear_is_read_on() -> None:
    """Workflows that began before the service had personal data go on."""
    clear = await data_converter().encode(["small"])

    assert await data_converter(None, key).decode(clear, [str]) == ["small"]


async def test_a_changed_value_is_no_value() -> None:
    """A history that was tampered with, or another key, leads to an error."""
    (sealed,) = await data_converter(None, key).encode(["small"])

    async def other() -> bytes:
        return bytes([1] * 32)

    for converter in (data_converter(None, other), data_converter(None, key)):
        with pytest.raises(InvalidTag):
            await converter.decode([sealed], [str])
        sealed = Payload(metadata=sealed.metadata, data=sealed.data[:-1] + b"x")
