"""Views of one build, or its parts, each guarded by the position it has seen."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final, Generic

from botocore.exceptions import ClientError

from application.backoff import Backoff
from application.ports import Changed, StoreUnavailable, V
from infrastructure.dynamodb.at_once import at_once
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import condition_failed, unavailable
from infrastructure.dynamodb.querying import loaded
from infrastructure.dynamodb.read_models.documents import Documents, key_in, places_of
from infrastructure.dynamodb.read_models.walking import walked
from infrastructure.dynamodb.tables import VIEWS
from infrastructure.dynamodb.values import Item, Value

PATIENCE: Final = 10.0
"""Seconds until an index has to show what was written."""

_POLLING: Final = Backoff(0.01, most=0.5)
_NEWER: Final = "attribute_not_exists(place) OR seen < :seen"


class GuardedViews(Generic[V]):
    """The :class:`~application.ports.GuardedViews` of these documents.

    A write ends when the indexes show it. An answer of theirs comes from one of several copies, so
    that is a strong hint, and no proof; what a query finds by them is always read from the table.
    """

    def __init__(
        self, database: Database, documents: Documents[V], patience: float = PATIENCE
    ) -> None:
        self._database, self._documents, self._patience = database, documents, patience
        self._table = database.table(VIEWS.name)

    async def prepare(self) -> None:
        """Nothing: the table is made by ``migrate``, for all builds."""

    async def load(self, keys: Collection[str]) -> Changed[V]:
        wanted = [self._documents.key(key) for key in dict.fromkeys(keys)]
        found = await loaded(self._database, VIEWS, wanted)
        return {key_in(item): self._documents.seen(item) for item in found}

    async def write(self, changed: Changed[V]) -> None:
        written = [self._documents.item(key, one) for key, one in changed.items()]
        await at_once(self._put, written)

    async def _put(self, item: Item) -> None:
        before, now = await self._replaced(item)
        old, new = self._documents.entries(before), self._documents.entries(now)
        missing = [
            (slot, value) for slot, value in new.items() if before is now or old.get(slot) != value
        ]
        try:
            async with asyncio.timeout(self._patience):
                for slot, value in missing:
                    await self._indexed(item, slot, value)
        except TimeoutError as error:
            raise StoreUnavailable(
                f"DynamoDB: an index of {self._table} does not show {key_in(item)} within "
                f"{self._patience:g} s"
            ) from error

    async def _replaced(self, item: Item) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """What was there, and what is there: the same where that has seen as much."""
        with unavailable():
            try:
                answer = await self._database.client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=_NEWER,
                    ExpressionAttributeValues={":seen": item["seen"]},
                    ReturnValues="ALL_OLD",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if not condition_failed(error):
                    raise
                response: Mapping[str, Any] = error.response
                there = response.get("Item") or {}
                return there, there
        return answer.get("Attributes") or {}, item

    async def _indexed(self, item: Item, slot: str, value: Value) -> None:
        """Wait until the index has this entry, or the view another one."""
        attempt = 0
        while not await self._is_in(item, slot, value):
            await _POLLING(attempt)
            attempt += 1
            if not attempt % 4 and not await self._is_still(item, slot, value):
                return

    async def _is_in(self, item: Item, slot: str, value: Value) -> bool:
        with unavailable():
            found = await self._database.client.query(
                TableName=self._table,
                IndexName=slot,
                KeyConditionExpression=f"place = :place AND {slot} = :value",
                ExpressionAttributeValues={":place": item["place"], ":value": value},
            )
        return bool(found["Items"])

    async def _is_still(self, item: Item, slot: str, value: Value) -> bool:
        """Whether the view belongs there: another process may have written it meanwhile."""
        found = await loaded(self._database, VIEWS, [_key(item)], slot)
        return bool(found) and found[0].get(slot) == value

    async def clear(self) -> None:
        await removed(self._database, self._documents.table)


async def removed(database: Database, table: str) -> None:
    """Remove all items of a build, or of its parts. Raises ``StoreUnavailable``."""

    async def remove(key: Item) -> None:
        with unavailable():
            await database.client.delete_item(TableName=database.table(VIEWS.name), Key=key)

    found = walked(database, places_of(table))
    await at_once(remove, [_key(item) async for item in found])


def _key(item: Item) -> Item:
    return {name: item[name] for name in ("place", "which")}
