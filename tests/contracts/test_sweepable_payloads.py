"""The contract of ``SweepablePayloads``."""

from datetime import UTC, datetime, timedelta

import pytest

from application.ports import PayloadUnavailable, StoredPayload, SweepablePayloads


async def listed(payloads: SweepablePayloads) -> list[StoredPayload]:
    return sorted([one async for one in payloads.stored()])


async def set_aside(payloads: SweepablePayloads, data: bytes) -> StoredPayload:
    """Put it and set it aside; as it is listed then."""
    digest = await payloads.put(data)
    stored = [one for one in await listed(payloads) if one.digest == digest and not one.aside]
    before = [one for one in await listed(payloads) if one.aside]
    await payloads.set_aside(stored[0])
    (now,) = (one for one in await listed(payloads) if one.aside and one not in before)
    assert (now.digest, now.size) == (digest, len(data))
    assert datetime.now(UTC) - now.since < timedelta(minutes=1)
    return now


async def test_every_payload_is_listed(payloads: SweepablePayloads) -> None:
    """A payload is listed with its digest, its size, and the time at which it was stored."""
    digests = {await payloads.put(data): len(data) for data in (b"one", b"the other")}

    found = await listed(payloads)

    assert {one.digest: one.size for one in found} == digests
    assert not any(one.aside for one in found)
    assert all(abs(datetime.now(UTC) - one.since) < timedelta(minutes=5) for one in found)


async def test_what_is_set_aside_can_still_be_read(payloads: SweepablePayloads) -> None:
    """Setting a payload aside takes it from its place, and loses nothing."""
    aside = await set_aside(payloads, b"in doubt")

    assert await listed(payloads) == [aside]
    assert await payloads.get(aside.digest) == b"in doubt"


async def test_what_is_put_again_outlives_what_was_set_aside(payloads: SweepablePayloads) -> None:
    """A payload that is put while it is set aside stays when that is removed."""
    aside = await set_aside(payloads, b"needed again")
    await payloads.put(b"needed again")

    await payloads.remove(aside)

    assert await payloads.get(aside.digest) == b"needed again"


async def test_only_the_one_set_aside_at_that_moment_is_removed(
    payloads: SweepablePayloads,
) -> None:
    """Two that were set aside at different moments are removed one by one."""
    first = await set_aside(payloads, b"twice")
    second = await set_aside(payloads, b"twice")

    await payloads.remove(first)
    assert await listed(payloads) == [second]
    assert await payloads.get(second.digest) == b"twice"

    await payloads.remove(second)
    with pytest.raises(PayloadUnavailable):
        await payloads.get(second.digest)


async def test_setting_aside_or_removing_twice_does_no_harm(payloads: SweepablePayloads) -> None:
    """What is not there any more is left alone, as after a sweep that was killed."""
    await payloads.put(b"once")
    (stored,) = await listed(payloads)
    for _ in range(2):
        await payloads.set_aside(stored)
    (aside,) = await listed(payloads)
    assert aside.aside

    for _ in range(2):
        await payloads.remove(aside)
    assert await listed(payloads) == []


async def test_the_logs_that_refer_to_payloads_are_known(payloads: SweepablePayloads) -> None:
    """A log is noted once, by any id, and is not a payload."""
    for log in ("0b7e", "a/b c", "0b7e"):
        await payloads.note_log(log)

    assert sorted(await payloads.logs()) == ["0b7e", "a/b c"]
    assert await listed(payloads) == []


async def test_a_check_leaves_no_payload(payloads: SweepablePayloads) -> None:
    """Finding out whether payloads can be stored stores none."""
    await payloads.check()
    await payloads.check(writable=False)

    assert await listed(payloads) == []
