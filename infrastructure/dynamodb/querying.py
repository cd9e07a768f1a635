"""Reading items: pages are followed to their end, and keys that were left out are asked for again.

An answer ends at 1 MB, or 16 MB of items by key, and may leave out more when the table is busy.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from application.backoff import Backoff
from application.ports import StoreUnavailable
from infrastructure.dynamodb.at_once import at_once
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import unavailable
from infrastructure.dynamodb.tables import Table
from infrastructure.dynamodb.values import Item

_AT_ONCE: Final = 100  # keys in one call: DynamoDB's limit
_ATTEMPTS: Final = 8  # answers in a row that have none of the keys
_BACKOFF: Final = Backoff(0.05, most=2.0)


async def items(database: Database, table: Table, query: Mapping[str, Any]) -> AsyncIterator[Item]:
    """All items that a query finds. Raises ``StoreUnavailable``."""
    start: Mapping[str, Any] = {}
    while True:
        with unavailable():
            page = await database.client.query(
                TableName=database.table(table.name), **{**query, **start}
            )
        for item in page["Items"]:
            yield item
        if not page.get("LastEvaluatedKey"):
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


async def loaded(
    database: Database,
    table: Table,
    keys: Sequence[Item],
    only: str | None = None,
    *,
    consistent: bool = True,
) -> Sequence[Item]:
    """The items of these keys that exist, in any order; as they are now, if ``consistent``.

    ``only``: the attributes that are wanted, separated by commas. Raises ``StoreUnavailable``.
    """
    some = [keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE)]
    found = await at_once(
        lambda keys: _loaded(database, table, keys, only, consistent=consistent), some
    )
    return [item for items in found for item in items]


async def _loaded(
    database: Database, table: Table, keys: Sequence[Item], only: str | None, *, consistent: bool
) -> Sequence[Item]:
    name = database.table(table.name)
    wanted: Any = {"Keys": list(keys), "ConsistentRead": consistent}
    if only is not None:
        wanted["ProjectionExpression"] = only
    left: Any = {name: wanted}
    found: list[Item] = []
    attempts = 0
    while left:
        with unavailable():
            answer = await database.client.batch_get_item(RequestItems=left)
        some = answer["Responses"].get(name, [])
        found += some
        left = answer.get("UnprocessedKeys")
        attempts = 0 if some else attempts + 1
        if left and attempts:
            if attempts == _ATTEMPTS:
                raise StoreUnavailable(f"DynamoDB: {name} is too busy to be read")
            await _BACKOFF(attempts)
    return found
