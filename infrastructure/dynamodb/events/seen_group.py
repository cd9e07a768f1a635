"""A group as one consumer has last seen it: read, and replaced unless another one was first."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from botocore.exceptions import ClientError

from application.backoff import Backoff
from application.ports import StoreUnavailable
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.group import Claim, Group
from infrastructure.dynamodb.failures import condition_failed, is_busy, unavailable
from infrastructure.dynamodb.tables import GROUPS
from infrastructure.dynamodb.values import number, text

_RIVALS: Final = Backoff(0.005, most=0.2, at_least=0.0)
_PATIENCE: Final = 10.0  # seconds for a change, all attempts together

Change = Callable[[Group], Awaitable[Group]]
"""What the group is to become; the same group, if there is nothing to change."""


class SeenGroup:
    """Its ``now``, and since when this consumer has seen each claim, by its own clock.

    Its calls raise ``StoreUnavailable``, also when the group has been deleted.
    """

    def __init__(self, database: Database, group: Group, consumer: str) -> None:
        self._database, self.now, self._consumer = database, group, consumer
        self._since: dict[int, float] = {}  # by claim
        self._see(group)

    def held_for(self, claim: Claim) -> float:
        """Seconds since that claim was first seen."""
        return time.monotonic() - self._since[claim.number]

    async def look(self) -> None:
        """See the group as it is now."""
        found = await find(self._database, self.now.name)
        if found is None or found.id != self.now.id:
            raise StoreUnavailable("the consumer group has been deleted")
        self._see(found)

    async def change(self, change: Change) -> None:
        """Change the group. Of several consumers that do so at once one is first, and the others
        do it again, on what that one has left."""
        attempt = 0
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    wanted = await change(self.now)
                    if wanted == self.now or await self._replaced(wanted):
                        return
                    await _RIVALS(attempt)
                    attempt += 1
                    await self.look()
                    if self._is_made(wanted):
                        return
        except TimeoutError:
            raise StoreUnavailable("DynamoDB: the consumer group could not be changed") from None

    def _see(self, group: Group) -> None:
        now = time.monotonic()
        self._since = {one.number: self._since.get(one.number, now) for one in group.claims}
        self.now = group

    def _is_made(self, wanted: Group) -> bool:
        """Whether a change that seemed to be refused was made: its answer was lost, and the client
        has sent it again, by itself, to what it had become by then."""
        revision = wanted.revision + 1
        taken = {claim.number for claim in self.now.of(self._consumer)}
        return revision in taken or self.now == replace(wanted, revision=revision)

    async def _replaced(self, wanted: Group) -> bool:
        """Whether the group was still as it was read, and has been replaced."""
        changed = replace(wanted, revision=wanted.revision + 1)
        with unavailable():
            try:
                await self._database.client.put_item(
                    TableName=self._database.table(GROUPS.name),
                    Item=changed.item(),
                    ConditionExpression="#id = :id AND #revision = :revision",
                    ExpressionAttributeNames={"#id": "id", "#revision": "revision"},
                    ExpressionAttributeValues={
                        ":id": text(wanted.id),
                        ":revision": number(wanted.revision),
                    },
                )
            except ClientError as error:
                if condition_failed(error) or is_busy(error):
                    return False
                raise
        self._see(changed)
        return True


async def find(database: Database, name: str) -> Group | None:
    """The group as it is now. Raises ``StoreUnavailable``."""
    with unavailable():
        found = await database.client.get_item(
            TableName=database.table(GROUPS.name), Key={"name": text(name)}, ConsistentRead=True
        )
    return Group.read(found["Item"]) if "Item" in found else None
