"""Signs of life: a consumer that holds events writes one now and then, in an item of its own.

DynamoDB does not notice that a process has died. The others do, when its item stays the same for
a while, each by its own clock. A consumer that only hangs loses its events too, and may then find
that another has had them: delivery is at least once.
"""

import time
from collections.abc import Collection
from typing import Final

from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import unavailable
from infrastructure.dynamodb.querying import loaded
from infrastructure.dynamodb.tables import GROUPS
from infrastructure.dynamodb.values import Item, number, text, to_number, to_text

SILENCE: Final = 10.0
"""Seconds without a sign of life after which a consumer is taken for dead."""
_SIGNS: Final = 5  # in that time: some may be late


class Pulse:
    """What one consumer shows of itself, and has seen of the others of its group.

    Its calls raise ``StoreUnavailable``.
    """

    def __init__(self, database: Database, group: str, consumer: str, silence: float) -> None:
        self._database, self._group, self._consumer = database, group, consumer
        self.silence, self.every = silence, silence / _SIGNS
        self._signs = 0
        self._seen: dict[str, tuple[int, float]] = {}  # by consumer: its sign, and since when
        self._looked = -self.every

    async def beat(self) -> None:
        """Give a sign of life."""
        self._signs += 1
        item: Item = {**self._key(self._consumer), "signs": number(self._signs)}
        with unavailable():
            await self._database.client.put_item(
                TableName=self._database.table(GROUPS.name), Item=item
            )

    async def look(self, consumers: Collection[str]) -> None:
        """See whether these live, unless that was seen a moment ago."""
        now = time.monotonic()
        if not consumers or now - self._looked < self.every:
            return
        self._looked = now
        keys = [self._key(consumer) for consumer in consumers]
        found = {
            to_text(item["name"]): to_number(item["signs"])
            for item in await loaded(self._database, GROUPS, keys)
        }
        before, self._seen = self._seen, {}
        for consumer in consumers:
            sign = found.get(self._name(consumer), 0)
            last, since = before.get(consumer, (sign, now))
            self._seen[consumer] = (sign, since if sign == last else now)

    def is_silent(self, consumer: str) -> bool:
        """Whether it has given no sign of life for too long, as far as has been looked."""
        _, since = self._seen.get(consumer, (0, self._looked))
        return self._looked - since >= self.silence

    async def stop(self) -> None:
        """Leave no sign."""
        if self._signs:
            await self.end([self._consumer])

    async def end(self, consumers: Collection[str]) -> None:
        """These are dead: no sign of theirs is needed any more."""
        for consumer in consumers:
            with unavailable():
                await self._database.client.delete_item(
                    TableName=self._database.table(GROUPS.name), Key=self._key(consumer)
                )

    def _key(self, consumer: str) -> Item:
        return {"name": text(self._name(consumer))}

    def _name(self, consumer: str) -> str:
        return f"{self._group}#{consumer}"
