"""Consumer groups in DynamoDB: an item for each group, and the log for what is new."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from botocore.exceptions import ClientError

from application.event_filter import EventFilter
from application.messages import Decoder
from application.ports import GroupInfo, StoreUnavailable, no_such_group
from infrastructure.consumer import Consumer, at_work
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.group import Group
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.membership import Membership
from infrastructure.dynamodb.events.pulse import SILENCE
from infrastructure.dynamodb.events.seen_group import find
from infrastructure.dynamodb.events.streams import Streams
from infrastructure.dynamodb.failures import condition_failed, unavailable
from infrastructure.dynamodb.tables import GROUPS
from infrastructure.dynamodb.values import text


class ConsumerGroups:
    """The :class:`~application.ports.ConsumerGroups` of one database."""

    def __init__(
        self,
        database: Database,
        log: Log,
        streams: Streams,
        decoder: Decoder,
        *,
        silence: float = SILENCE,
    ) -> None:
        """A consumer that shows no sign of life for ``silence`` seconds is taken for dead."""
        self._database, self._log, self._streams = database, log, streams
        self._decoder, self._silence = decoder, silence

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
        member = Membership(
            self._database, self._log, self._streams, self._decoder, only, found, self._silence
        )
        consumer = Consumer(member, buffer)
        beside = [
            asyncio.create_task(self._watch(consumer, only), name=f"watch for {group}"),
            asyncio.create_task(member.keep_alive(), name=f"signs of life for {group}"),
        ]
        try:
            async with at_work(consumer, group):
                yield consumer
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)

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
            raise no_such_group(group)

    async def fault(self) -> str | None:
        """``None``: consumers read the log itself."""
        return None

    async def _find(self, group: str) -> Group:
        if (found := await find(self._database, group)) is None:
            raise no_such_group(group)
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
