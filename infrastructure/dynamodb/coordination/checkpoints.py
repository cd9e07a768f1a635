"""Checkpoints: items that are moved under the condition that they are where they are expected."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from application.ports import CheckpointMoved
from application.ports.coordination import require_progress
from infrastructure.dynamodb.at_once import at_once
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import condition_failed, unavailable
from infrastructure.dynamodb.querying import items, loaded
from infrastructure.dynamodb.tables import COORDINATION
from infrastructure.dynamodb.values import Item, number, text, to_number

Standing = tuple[int, int]
"""A position, and how many events were handled on the way there."""


def key_of(name: str, shard: int) -> Item:
    """The key of the checkpoint of one shard of a follower."""
    return {"what": text(f"checkpoint#{name}"), "which": text(f"{shard:06}")}


class Checkpoints:
    """The :class:`~application.ports.Checkpoints` of one database, those of builds among them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table(COORDINATION.name)

    async def load(self, name: str, shard: int = 0) -> int | None:
        found = await self.standings([(name, shard)])
        return found[name, shard][0] if found else None

    async def advance(
        self, name: str, position: int, *, expected: int | None, events: int = 0, shard: int = 0
    ) -> None:
        require_progress(position, expected)
        there = "attribute_not_exists(what)" if expected is None else "place = :expected"
        this = text(uuid4().hex)
        values = {":to": number(position), ":events": number(events), ":this": this}
        if expected is not None:
            values[":expected"] = number(expected)
        with unavailable():
            try:
                await self._database.client.update_item(
                    TableName=self._table,
                    Key=key_of(name, shard),
                    UpdateExpression="SET place = :to, moved_by = :this ADD events :events",
                    ConditionExpression=there,
                    ExpressionAttributeValues=values,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if not condition_failed(error):
                    raise
                if _item(error).get("moved_by") != this:  # else an answer was lost on its way here
                    raise CheckpointMoved(f"{name} is not at {expected} any more") from None

    async def forget(self, name: str) -> None:
        query = {
            "KeyConditionExpression": "what = :what",
            "ExpressionAttributeValues": {":what": key_of(name, 0)["what"]},
            "ConsistentRead": True,
        }
        keys = [item async for item in items(self._database, COORDINATION, query)]
        await at_once(self._delete, keys)

    async def _delete(self, item: Item) -> None:
        with unavailable():
            key: Item = {name: item[name] for name in ("what", "which")}
            await self._database.client.delete_item(TableName=self._table, Key=key)

    async def standings(self, of: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Standing]:
        """Of these followers and shards, those that there are."""
        names = {tuple(_plain(key_of(*one))): one for one in of}
        found = await loaded(self._database, COORDINATION, [key_of(*one) for one in of])
        return {
            names[tuple(_plain(item))]: (to_number(item["place"]), to_number(item["events"]))
            for item in found
        }


_KEYS: Final = ("what", "which")


def _plain(item: Mapping[str, Any]) -> Sequence[str]:
    return [item[name]["S"] for name in _KEYS]


def _item(error: ClientError) -> Mapping[str, Any]:
    """What was there when a condition failed."""
    response: Mapping[str, Any] = error.response
    found: Mapping[str, Any] = response.get("Item") or {}
    return found
