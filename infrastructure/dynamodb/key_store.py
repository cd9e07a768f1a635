"""The keys of data subjects: items, each wrapped by a master key."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from datetime import UTC, datetime
from secrets import token_bytes
from typing import Any

from botocore.exceptions import ClientError

from application.ports.keys import KEY_BYTES, Forgotten, require_subject, subjects_in
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import condition_failed, unavailable
from infrastructure.dynamodb.querying import loaded
from infrastructure.dynamodb.tables import KEYS
from infrastructure.dynamodb.values import Item, text, to_text
from infrastructure.master_keys import MasterKeys, Wrapped

_SUBJECT, _MASTER = "subject#", "master#"  # what an item is about


class KeyStore:
    """The :class:`~application.ports.KeyStore` of one table."""

    def __init__(self, database: Database, master: MasterKeys) -> None:
        self._database, self._master = database, master
        self._table = database.table(KEYS.name)

    async def keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        asked: list[Item] = [_key(one) for one in subjects_in(subjects)]
        items = await loaded(self._database, KEYS, asked)
        return {
            _subject(item): self._master.unwrap(_subject(item), _wrapped(item))
            for item in items
            if "sealed" in item
        }

    async def key(self, subject: str) -> bytes:
        require_subject(subject)
        if (found := await self._found(subject)) is not None:
            return found
        new = self._master.wrap(subject, token_bytes(KEY_BYTES))
        await self._note(new.master)
        await self._put({**_key(subject), **_item(new)}, "attribute_not_exists(what)")
        kept = await self._found(subject)  # that of another process, perhaps
        assert kept is not None  # no item is ever deleted
        return kept

    async def destroy(self, subject: str) -> bool:
        require_subject(subject)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        tombstone: Item = {**_key(subject), "forgotten": text(now)}
        return await self._put(tombstone, "attribute_not_exists(forgotten)")

    async def forgotten(self) -> AsyncIterator[str]:
        async for item in self._scanned("attribute_exists(forgotten)"):
            yield _subject(item)

    async def masters(self) -> Collection[str]:
        """The fingerprints of the master keys by which keys are wrapped."""
        about = {":about": text(_MASTER)}
        items = self._scanned("begins_with(what, :about)", about)
        return [to_text(item["what"]).removeprefix(_MASTER) async for item in items]

    async def rewrap(self) -> AsyncGenerator[int, None]:
        """Wrap all keys by the newest master key, one by one. Yields 1 after each.

        Can be stopped and repeated. Raises ``NoMasterKey`` for one that cannot be unwrapped.
        """
        before = set(await self.masters()) - {self._master.newest}
        await self._note(self._master.newest)
        newest = {":newest": text(self._master.newest)}
        async for item in self._scanned(
            "attribute_exists(sealed) AND by_master <> :newest", newest
        ):
            anew = self._master.rewrap(_subject(item), _wrapped(item))
            await self._put(
                {**_key(_subject(item)), **_item(anew)},
                "sealed = :before",  # not forgotten meanwhile
                {":before": item["sealed"]},
            )
            yield 1
        for master in before:
            await self._remove_unused(master)

    async def _remove_unused(self, master: str) -> None:
        async for _ in self._scanned("by_master = :master", {":master": text(master)}):
            return
        with unavailable():
            await self._database.client.delete_item(
                TableName=self._table, Key={"what": text(_MASTER + master)}
            )

    async def _found(self, subject: str) -> bytes | None:
        with unavailable():
            found = await self._database.client.get_item(
                TableName=self._table, Key=_key(subject), ConsistentRead=True
            )
        if (item := found.get("Item")) is None:
            return None
        if "sealed" not in item:
            raise Forgotten(subject)
        return self._master.unwrap(subject, _wrapped(item))

    async def _note(self, master: str) -> None:
        await self._put({"what": text(_MASTER + master)}, "attribute_not_exists(what)")

    async def _put(self, item: Item, condition: str, values: Item | None = None) -> bool:
        """Whether the condition held, and so the item was written."""
        given: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        with unavailable():
            try:
                await self._database.client.put_item(
                    TableName=self._table, Item=item, ConditionExpression=condition, **given
                )
            except ClientError as error:
                if condition_failed(error):
                    return False
                raise
        return True

    async def _scanned(self, where: str, values: Item | None = None) -> AsyncIterator[Any]:
        """All items for which this holds."""
        asked: dict[str, Any] = {"FilterExpression": where, "ConsistentRead": True}
        if values:
            asked["ExpressionAttributeValues"] = values
        while True:
            with unavailable():
                page = await self._database.client.scan(TableName=self._table, **asked)
            for item in page["Items"]:
                yield item
            if not page.get("LastEvaluatedKey"):
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _key(subject: str) -> Item:
    return {"what": text(_SUBJECT + subject)}


def _subject(item: Mapping[str, Any]) -> str:
    return to_text(item["what"]).removeprefix(_SUBJECT)


def _item(wrapped: Wrapped) -> Item:
    return {"by_master": text(wrapped.master), "sealed": {"B": wrapped.data}}


def _wrapped(item: Mapping[str, Any]) -> Wrapped:
    return Wrapped(to_text(item["by_master"]), bytes(item["sealed"]["B"]))
