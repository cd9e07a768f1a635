"""Writers to DynamoDB are killed in the midst of their commits: there is no hole, nothing twice."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process

from application.messages import RecordedEvent
from infrastructure.dynamodb.events.log import Log
from tests.contracts.dynamodb_events import stores_in
from tests.contracts.made_up import all_of, name, only
from tests.dynamodb.opened import database
from tests.waiting import PATIENCE, until

LINES = (20, 50, 80)  # after which a writer is killed: others go on beside it


async def _writer(uri: str, prefix: str, type: str) -> Process:
    module = "tests.infrastructure.dynamodb_writer"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, uri, prefix, type, stdout=PIPE
    )


async def _killed_after(process: Process, lines: int) -> list[str]:
    """What it has confirmed: so many lines, and those on their way when it was killed."""
    assert process.stdout is not None  # it was started with a pipe
    told = [(await process.stdout.readline()).decode() for _ in range(lines)]
    process.kill()
    told += (await process.stdout.read()).decode().splitlines(keepends=True)
    await process.wait()
    return [line for line in told if line.endswith("\n")]


async def test_writers_that_are_killed_leave_whole_commits(dynamodb: str) -> None:
    """Processes write to twelve streams each, and are killed one after the other, as they commit.
    What they confirmed is there, each stream has its events in pairs, and a reader that follows
    sees exactly what is stored, in an order without a gap."""
    type, confirmed = name("Noted"), list[str]()
    async with database(dynamodb) as db, asyncio.timeout(PATIENCE):
        stores, seen = stores_in(db), list[RecordedEvent]()

        async def follow() -> None:
            async with stores.subscriptions.catch_up(after=None, only=only(type)) as items:
                async for item in items:
                    if isinstance(item, RecordedEvent):
                        seen.append(item)

        following = asyncio.create_task(follow())
        writers = [await _writer(dynamodb, db.prefix, type) for _ in LINES]
        for told in await asyncio.gather(*map(_killed_after, writers, LINES)):
            confirmed += told

        log = Log(db)
        end = await log.refresh()
        await until(lambda: bool(seen) and seen[-1].position == end - 1)
        following.cancel()
        await asyncio.wait([following])

        entries, place = 0, 0
        while page := await log.read(place):  # raises for an entry that is missing
            entries, place = entries + len(page), page[-1].end
        assert place == end
        names = sorted({event.stream for event in seen})
        stored = {stream: await all_of(stores.events.read(stream)) for stream in names}

    assert [event.position for event in seen] == list(range(end))
    assert len({event.id for event in seen}) == end
    assert sum(map(len, stored.values())) == end
    assert entries < end / 2  # appends were committed together, when they were killed too
    for line in confirmed:
        stream, version, *ids = line.split()
        there = stored[stream][int(version) - 1 : int(version) + 1]
        assert [str(event.id) for event in there] == ids
    assert all(len(stream) % 2 == 0 for stream in stored.values())
