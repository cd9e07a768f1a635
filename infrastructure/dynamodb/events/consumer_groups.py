"""Consumer groups in DynamoDB: an item for each group, and the log for what is new."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from botocore.exceptions import ClientError

from application.event_filter import EventFilter
from application.messages import Decoder
from application.ports import GroupInfo, StoreUnavailable
from infrastructure.consumer import Consumer
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.group import Group
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.membership import Membership, find
from infrastructure.dynamodb.events.streams import Streams
from infrastructure.dynamodb.failures import condition_failed, unavailable
from infrastructure.dynamodb.tables import GROUPS
from infrastructure.dynamodb.values import text

_DEADLINE: Final = 5.0  # seconds for leaving


class ConsumerGroups:
    """The :class:`~application.ports.ConsumerGroups` of one database."""

    def __init__(self, database: Database, log: Log, streams: Streams, decoder: Decoder) -> None:
        self._database, self._log, self._streams = database, log, streams
        self._decoder = decoder

    async def ensure(
        self,
        group: str,
        *,
        only: EventFilter,  # noqa: ARG002 - a group reads all, and its consumers choose
        message_timeout: float = 30.0,
    ) -> None:
        new = Group(group, uuid4().hex, message_timeout)
        with unavailable():
            try:
                await self._database.client.put_item(
                    TableName=self._database.table(GROUPS.name),
                    Item=new.item(),
                    ConditionExpression="attribute_not_exists(#name)",
                    ExpressionAttributeNames={"#name": "name"},
                )
            except ClientError as error:
                if not condition_failed(error):
                    raise

    @asynccontextmanager
    async def consume(
        self, group: str, *, only: EventFilter, buffer: int = 100
    ) -> AsyncIterator[Consumer]:
        found = await self._find(group)
        member = Membership(self._database, self._log, self._streams, self._decoder, only, found)
        consumer = Consumer(member, buffer)
        task = asyncio.create_task(consumer.run(), name=f"consumer of {group}")
        watching = asyncio.create_task(self._watch(consumer, only), name=f"watch for {group}")
        try:
            yield consumer
        finally:
            consumer.leave()
            watching.cancel()
            await asyncio.wait([watching])
            await _ended(task)

    async def info(self, group: str) -> GroupInfo:
        return GroupInfo(group, (await self._find(group)).in_flight)

    async def delete(self, group: str) -> None:
        with unavailable():
            gone = await self._database.client.delete_item(
                TableName=self._database.table(GROUPS.name),
                Key={"name": text(group)},
                ReturnValues="ALL_OLD",
            )
        if "Attributes" not in gone:
            raise KeyError(_no_such(group))

    async def fault(self) -> str | None:
        """``None``: consumers read the log itself."""
        return None

    async def _find(self, group: str) -> Group:
        if (found := await find(self._database, group)) is None:
            raise KeyError(_no_such(group))
        return found

    async def _watch(self, consumer: Consumer, only: EventFilter) -> None:
        """Tell the consumer of events that it may take. When the store does not answer, the
        consumer finds out by itself."""
        while True:
            try:
                place = await self._log.end()
                consumer.announce()
                while True:
                    await self._log.wait(place)
                    entries = await self._log.read(place)
                    if any(tile.wanted(only) for entry in entries for tile in entry.tiles):
                        consumer.announce()
                    place = entries[-1].end if entries else place
            except StoreUnavailable:
                await asyncio.sleep(1.0)


async def _ended(task: asyncio.Task[None]) -> None:
    try:
        await asyncio.wait([task], timeout=_DEADLINE)
    finally:
        task.cancel()
        await asyncio.wait([task])


def _no_such(group: str) -> str:
    return f"there is no consumer group {group!r}"
