"""What a service on DynamoDB asks while nothing happens: each look costs."""

import asyncio

from application.backoff import Backoff
from application.ports import Progress
from infrastructure.dynamodb import Log, Streams, Subscriptions
from tests.contracts.made_up import name, only
from tests.dynamodb.faults import Faults
from tests.dynamodb.opened import database
from tests.sample.service import SAMPLE
from tests.waiting import until

PAUSE, LOOKS, READERS = 0.05, 20, 8


async def test_many_readers_look_as_often_as_one(dynamodb: str) -> None:
    """The readers of a process share one look at the end of the log for each pause."""
    faults, caught_up = Faults(), list[Progress]()
    async with database(dynamodb, faults) as db:
        log = Log(db, quiet=Backoff(PAUSE, most=PAUSE, at_least=1.0))
        subscriptions = Subscriptions(log, Streams(db), SAMPLE.catalogue)

        async def read() -> None:
            async with subscriptions.catch_up(after=None, only=only(name("Noted"))) as messages:
                async for message in messages:
                    assert isinstance(message, Progress)
                    caught_up.append(message)

        readers = [asyncio.create_task(read()) for _ in range(READERS)]
        await until(lambda: len(caught_up) == READERS)
        faults.calls.clear()
        await asyncio.sleep(PAUSE * LOOKS)
        looked = len(faults.calls)
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
    assert 1 <= looked <= LOOKS + READERS  # those that have just caught up ask once themselves
