"""A sweep removes the payloads that no event refers to, and no other ones."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from application.payloads.sweeping import NotTheJudge
from application.ports import NO_STREAM, PayloadUnavailable, StoredPayload, StoreUnavailable
from infrastructure import filesystem, memory
from tests.application.swept import HOUR, World, large


@pytest.fixture
async def world() -> World:
    """One event refers to a payload already."""
    world = World()
    await world.append("kept")
    return world


async def test_an_orphan_is_set_aside_and_removed_after_the_grace(world: World) -> None:
    """Until then it can be read, and the payload of an event stays where it is."""
    orphan = await world.payloads.put(b"orphan")
    assert (await world.sweep()).set_aside == [], "it is too young"

    world.now += HOUR
    (set_aside,) = (await world.sweep()).set_aside
    world.now += HOUR - timedelta(seconds=1)
    (waiting,) = (await world.sweep()).waiting
    assert set_aside.digest == waiting.digest == orphan
    assert await world.payloads.get(orphan) == b"orphan"

    world.now += timedelta(seconds=1)
    (removed,) = (await world.sweep()).remove
    assert removed == waiting
    with pytest.raises(PayloadUnavailable):
        await world.payloads.get(orphan)
    (kept,) = await world.listed()
    assert not kept.aside


class Meanwhile:
    """A payload store of a writer that is slow: something is done between a put and its return."""

    def __init__(self, world: World, do: Callable[[], Awaitable[object]]) -> None:
        self._payloads, self._do = world.payloads, do

    async def put(self, data: bytes) -> str:
        digest = await self._payloads.put(data)
        await self._do()
        return digest


async def test_what_an_event_refers_to_by_then_is_put_back(world: World) -> None:
    """A writer found the payload there, it was set aside, and its event came after that."""
    await world.payloads.put(large("late").data)
    world.now += HOUR
    writer = world.writer(Meanwhile(world, world.sweep))  # type: ignore[arg-type]  # it only puts
    await writer.append("transfer-late", [large("late")], NO_STREAM)
    assert [one.aside for one in await world.listed()].count(True) == 1
    assert [data async for data in world.read("transfer-late")] == [large("late").data]

    world.now += HOUR
    plan = await world.sweep()

    assert len(plan.put_back) == 1
    assert plan.remove == []
    assert not any(one.aside for one in await world.listed())


async def test_an_event_that_comes_too_late_is_refused(world: World) -> None:
    """A process that slept between storing a payload and appending its event appends nothing."""

    async def sleep() -> None:
        world.now += HOUR

    writer = world.writer(Meanwhile(world, sleep))  # type: ignore[arg-type]  # as above
    with pytest.raises(StoreUnavailable, match=r"transfer-1 took more than 600 s"):
        await writer.append("transfer-1", [large("late")], NO_STREAM)

    assert [one async for one in world.events.read("transfer-1")] == []


async def test_events_of_all_programs_count(world: World) -> None:
    """Also those in a stream without a category, and those whose type this release has not."""
    for stream in ("other", "transfer-2"):
        event = replace(large(stream), type="NotKnownHere")
        await world.writer().append(stream, [event], NO_STREAM)
    world.now += HOUR

    plan = await world.sweep()

    assert (plan.referred, plan.set_aside) == (3, [])


async def test_what_was_killed_in_the_middle_is_finished_by_the_next(world: World) -> None:
    """A payload that is in both places, as after a copy in a bucket, is there until the end."""
    orphan = await world.payloads.put(b"orphan")
    stored = (await world.listed())[-1]
    await world.payloads.set_aside(stored)
    await world.payloads.put(b"orphan")

    for _ in range(2):
        world.now += HOUR
        await world.sweep()

    assert orphan not in [one.digest for one in await world.listed()]


async def test_a_role_that_may_not_delete_copies_nothing() -> None:
    """In a bucket, a payload would be set aside by a copy, again with each sweep."""

    class Kept(memory.PayloadStore):
        async def remove(self, payload: StoredPayload) -> None:
            raise StoreUnavailable(f"no permission to delete {payload.digest}")

    world = World(Kept())
    await world.append("kept")
    await world.payloads.put(b"orphan")
    before, world.now = await world.listed(), datetime.now(UTC) + HOUR

    with pytest.raises(StoreUnavailable, match="no permission"):
        await world.sweep()

    assert await world.listed() == before


async def test_a_plan_changes_nothing(world: World) -> None:
    """Without a probe, nothing at all is written."""
    await world.payloads.put(b"orphan")
    world.now += HOUR
    before = await world.listed(), await world.log.head()

    plan = await world.sweeper().plan(HOUR, HOUR, probe=False)

    assert len(plan.set_aside) == 1
    assert (await world.listed(), await world.log.head()) == before


@pytest.mark.parametrize("spans", [(HOUR, HOUR - timedelta(seconds=1)), (timedelta(0), HOUR)])
async def test_no_payload_goes_within_the_hour(
    world: World, spans: tuple[timedelta, timedelta]
) -> None:
    """An append that stores a payload may still be under way."""
    with pytest.raises(ValueError, match="1:00:00"):
        await world.sweeper().plan(*spans)


# ── which log may decide ─────────────────────────────────────────────────────────────────────────


async def test_a_log_that_the_payloads_do_not_name_is_refused(world: World) -> None:
    """It is probably the wrong one; a person who knows better names it."""
    other = World(world.payloads)
    other.now += HOUR
    await other.writer().append("transfer-1", [large("elsewhere")], NO_STREAM)
    id = await other.log.store_id()

    with pytest.raises(
        NotTheJudge, match=r"the payloads in memory belong to .*, and this is"
    ) as refused:
        await other.sweep()
    assert refused.value.log == id
    with pytest.raises(NotTheJudge, match=f"this is the log {id}, not {id}0"):
        await other.sweep(confirmed=f"{id}0")
    assert len((await other.sweep(confirmed=id)).set_aside) == 1


async def test_one_log_does_not_decide_for_two(world: World) -> None:
    """What the events of another log refer to would be removed."""
    await world.payloads.note_log("another")

    with pytest.raises(NotTheJudge, match=r"other logs refer to payloads in .*: another"):
        await world.sweep()


async def test_a_log_without_references_is_refused() -> None:
    """An empty copy of the log would have all payloads removed."""
    world = World()
    await world.payloads.put(b"from a log that was lost")
    with pytest.raises(NotTheJudge, match="no event of this service"):
        await world.sweep()
    small = replace(large("x"), data=b"{}")
    await world.writer().append("transfer-1", [small], NO_STREAM)
    await world.note()

    with pytest.raises(NotTheJudge, match="no event of this log refers to a payload"):
        await world.sweep()
    assert (await world.sweep(confirmed=await world.log.store_id())).referred == 0


# ── in a directory ───────────────────────────────────────────────────────────────────────────────


def aged(directory: Path) -> None:
    """All files were written yesterday."""
    for path in directory.glob("*"):
        os.utime(path, (path.stat().st_atime, 0))


@pytest.fixture
async def there(tmp_path: Path) -> World:
    world = World(filesystem.PayloadStore(tmp_path))
    await world.append("kept")
    return world


async def test_what_is_no_payload_stays(there: World, tmp_path: Path) -> None:
    """Other files are left alone; the draft of a killed writer goes."""
    names = ["README", "0" * 63, ".gitkeep", "draft-x7"]
    for name in names:
        (tmp_path / name).write_text("?")
    aged(tmp_path)

    plan = await there.sweep()

    assert [one.digest for one in plan.set_aside] == ["draft-x7"]
    assert [name for name in names if (tmp_path / name).exists()] == names[:3]


async def test_a_damaged_orphan_stays(there: World, tmp_path: Path) -> None:
    """A writer may be replacing it at this moment."""
    digest = await there.payloads.put(b"orphan")
    (tmp_path / digest).write_bytes(b"damaged")
    aged(tmp_path)

    assert (await there.sweep()).set_aside == []

    assert (tmp_path / digest).read_bytes() == b"damaged"


async def test_what_is_put_back_replaces_what_is_damaged(there: World, tmp_path: Path) -> None:
    """The copy that was set aside is whole, and serves its event again."""
    stream = await there.append("needed")
    digest = sha256(large("needed").data).hexdigest()
    (stored,) = [one for one in await there.listed() if one.digest == digest]
    await there.payloads.set_aside(stored)
    (tmp_path / digest).write_bytes(b"damaged")

    await there.sweep()

    assert (tmp_path / digest).read_bytes() == large("needed").data
    assert [data async for data in there.read(stream)] == [large("needed").data]


async def test_a_draft_of_a_note_is_no_log(there: World, tmp_path: Path) -> None:
    """A process that was killed while it noted its log hinders no sweep."""
    (tmp_path / "logs" / "draft-k2").write_bytes(b"")

    assert await there.payloads.logs() == [await there.log.store_id()]
    await there.sweep()
