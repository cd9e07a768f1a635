"""The books of all read models: items that are replaced whole, with the actions beside them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from application.backoff import Backoff
from application.ports import StoreUnavailable
from application.projections.builds import Build, OperatorAction
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import CONDITION, cancelled, is_busy, unavailable
from infrastructure.dynamodb.querying import items
from infrastructure.dynamodb.read_models.book import Book, Change
from infrastructure.dynamodb.tables import COORDINATION
from infrastructure.dynamodb.values import Item, number, text, to_number, to_text

BOOKS: Final = "builds"
"""The partition of all books and runners: few, and read together."""
MOST_SHARDS: Final = 96
"""Of a build: all its runners change in one transaction, which has at most 100 items."""

_BOOK: Final = "book"
_ATTEMPTS: Final = 12
_BACKOFF: Final = Backoff(0.02, most=1.0)
_ACTION: Final = TypeAdapter(OperatorAction)


def runner_key(build: Build, shard: int) -> Item:
    """The key of the runner of a shard."""
    return {"what": text(BOOKS), "which": text(f"{build.name}#runner#{build.table}#{shard:06}")}


class Books:
    """The books in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table(COORDINATION.name)

    async def change(self, name: str, change: Callable[[Book], Change]) -> Book:
        """What the book has become. Nothing is written where the change changes nothing.

        Raises what the change raises, and ``StoreUnavailable``.
        """
        for attempt in range(_ATTEMPTS):
            book, revision = await self._read(name)
            changed = change(book)
            if changed.book == book and changed.action is None:
                return book
            if await self._replaced(book, revision, changed):
                return changed.book
            await _BACKOFF(attempt)
        raise StoreUnavailable(f"DynamoDB: the builds of {name} are changed by too many at once")

    async def read(self, name: str) -> Book:
        """As it is now. Raises ``StoreUnavailable``."""
        return (await self._read(name))[0]

    async def _read(self, name: str) -> tuple[Book, int]:
        with unavailable():
            found = await self._database.client.get_item(
                TableName=self._table, Key=_key(name), ConsistentRead=True
            )
        item = found.get("Item")
        return (book_in(item), to_number(item["revision"])) if item else (Book(name=name), 0)

    async def _replaced(self, before: Book, revision: int, change: Change) -> bool:
        """Whether the book is replaced; ``False`` where it has changed meanwhile."""
        with unavailable():
            try:
                await self._database.client.transact_write_items(
                    TransactItems=list(self._writes(before, revision, change))
                )
            except ClientError as error:
                reasons = cancelled(error) or ()
                if is_busy(error) and reasons:
                    return False
                if any(reason.get("Code") == CONDITION for reason in reasons):
                    return False
                raise
        return True

    def _writes(self, before: Book, revision: int, change: Change) -> Iterable[Any]:
        after = change.book
        yield self._put(
            {
                **_key(after.name),
                "revision": number(revision + 1),
                _BOOK: text(after.model_dump_json()),
            },
            "revision = :revision" if revision else "attribute_not_exists(what)",
            {":revision": number(revision)} if revision else {},
        )
        if change.action:
            key: Item = {"what": _actions(after.name), "which": text(f"{revision + 1:012}")}
            action = text(_ACTION.dump_json(change.action).decode())
            yield self._put({**key, "action": action}, "attribute_not_exists(what)")
        for key in _runners(after, before):
            yield self._put(key, "attribute_not_exists(what)")
        for key in _runners(before, after):
            yield {"Delete": {"TableName": self._table, "Key": key}}

    def _put(
        self, item: Item, condition: str, values: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": condition,
        }
        if values:
            put["ExpressionAttributeValues"] = values
        return {"Put": put}

    async def actions(self, name: str) -> Sequence[OperatorAction]:
        """The newest first. Raises ``StoreUnavailable``."""
        query = {
            "KeyConditionExpression": "what = :what",
            "ExpressionAttributeValues": {":what": _actions(name)},
            "ConsistentRead": True,
            "ScanIndexForward": False,
        }
        found = items(self._database, COORDINATION, query)
        return [_ACTION.validate_json(to_text(item["action"])) async for item in found]


def book_in(item: Item) -> Book:
    """The book that an item holds."""
    return Book.model_validate_json(to_text(item[_BOOK]))


def _runners(there: Book, not_in: Book) -> Iterable[Item]:
    """The runners of the builds that only the first book has."""
    others = {not_in.build(one) for one in not_in.entries}
    for entry in there.entries:
        if (build := there.build(entry)) not in others:
            for shard in range(entry.shards):
                yield runner_key(build, shard)


def _key(name: str) -> Item:
    return {"what": text(BOOKS), "which": text(f"{name}#book")}


def _actions(name: str) -> Any:
    return text(f"actions#{name}")
