"""The contract of ``PayloadStore``."""

import asyncio
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import PayloadStore, PayloadUnavailable


async def test_what_is_put_can_be_got_by_its_sha_256(payloads: PayloadStore) -> None:
    """A payload is named by the SHA-256 of its content, in hex."""
    digest = await payloads.put(b"a thousand lines")

    assert digest == sha256(b"a thousand lines").hexdigest()
    assert await payloads.get(digest) == b"a thousand lines"


@given(contents=st.lists(st.binary(max_size=64), max_size=5))
@settings(
    max_examples=25,
    deadline=None,  # the disk decides
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # payloads of others do no harm
)
async def test_any_bytes_come_back_as_they_were(
    payloads: PayloadStore, contents: list[bytes]
) -> None:
    """A payload is returned unchanged, also an empty one."""
    digests = [await payloads.put(content) for content in contents]

    assert [await payloads.get(digest) for digest in digests] == contents


async def test_putting_twice_is_putting_once(payloads: PayloadStore) -> None:
    """The same content, put by many at the same time, is one payload."""
    content = bytes(range(256)) * 4000

    digests = await asyncio.gather(*(payloads.put(content) for _ in range(10)))

    assert len(set(digests)) == 1
    assert await payloads.get(digests[0]) == content


@pytest.mark.parametrize(
    "digest", ["0" * 64, "", "../secret", "/etc/passwd", "A" * 64, f"{'0' * 64}/../../secret"]
)
async def test_what_was_never_put_is_unavailable(payloads: PayloadStore, digest: str) -> None:
    """Anything but the digest of a payload is refused, and no other file can be read by it."""
    with pytest.raises(PayloadUnavailable):
        await payloads.get(digest)
