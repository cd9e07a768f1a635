"""A process that appends to DynamoDB until it is killed, and prints what was confirmed.

python -m tests.infrastructure.dynamodb_writer URI PREFIX TYPE
"""

import asyncio
import sys

from application.ports import NO_STREAM
from infrastructure.dynamodb import EventStore, GroupCommit, Log, Streams
from tests.contracts.made_up import events, name
from tests.dynamodb.opened import database
from tests.sample.service import SAMPLE

STREAMS = 12


async def _write(store: EventStore, type: str) -> None:
    """Batches of two to one stream; a line for each: stream, version, ids."""
    stream, version = name(), NO_STREAM
    while True:
        batch = events(2, type)
        version = (await store.append(stream, batch, version)).version
        print(stream, version, *(event.id for event in batch), flush=True)


async def _main(uri: str, prefix: str, type: str) -> None:
    async with database(uri, prefix=prefix) as db, asyncio.TaskGroup() as writers:
        streams = Streams(db)
        store = EventStore(streams, GroupCommit(db, Log(db), streams), SAMPLE.catalogue)
        for _ in range(STREAMS):
            writers.create_task(_write(store, type))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
