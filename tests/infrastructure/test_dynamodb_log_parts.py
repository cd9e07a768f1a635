"""The log rolls over: each part of it is a partition of its own, and readers do not notice."""

import pytest

from application.messages import RecordedEvent
from application.ports import NO_STREAM
from infrastructure.dynamodb.events import entries, log
from tests.contracts.dynamodb_events import stores_in
from tests.contracts.made_up import events, name, only
from tests.contracts.stores import Stores
from tests.dynamodb.opened import database

PART = 7  # positions
APPENDS, EACH = 15, 3  # so that some entries begin in one part and end in the next


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (entries, log):
        monkeypatch.setattr(module, "PART", PART)


async def followed(stores: Stores, type: str, after: int | None) -> list[int]:
    """The positions of all events of the type after that one."""
    seen: list[int] = []
    async with stores.subscriptions.catch_up(after=after, only=only(type)) as items:
        async for item in items:
            if isinstance(item, RecordedEvent):
                seen.append(item.position)
            elif item.caught_up:
                return seen
    raise AssertionError("a subscription has no end")


async def test_readers_go_from_part_to_part(dynamodb: str) -> None:
    """From the first event and from each other, in the process that wrote and in new ones."""
    type, count = name("Noted"), APPENDS * EACH
    async with database(dynamodb) as db:
        writer = stores_in(db)
        for _ in range(APPENDS):
            await writer.events.append(name(), events(EACH, type), NO_STREAM)
        for after in (None, *range(count)):
            expected = list(range(0 if after is None else after + 1, count))
            assert await followed(stores_in(db), type, after) == expected
        assert await followed(writer, type, None) == list(range(count))
        assert await stores_in(db).facts.head() == count - 1
        assert await stores_in(db).facts.count(only(type)) == count


async def test_a_writer_finds_the_end_of_a_long_log(dynamodb: str) -> None:
    """Also one that was away while several parts were filled."""
    type = name("Noted")
    async with database(dynamodb) as db:
        away, busy = stores_in(db), stores_in(db)
        await away.events.append(name(), events(1, type), NO_STREAM)
        for _ in range(APPENDS):
            await busy.events.append(name(), events(EACH, type), NO_STREAM)
        last = await away.events.append(name(), events(1, type), NO_STREAM)
        assert last.position == APPENDS * EACH + 1
        assert await followed(away, type, None) == list(range(last.position + 1))
