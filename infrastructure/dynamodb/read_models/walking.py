"""Items of a build in order, from its partitions, one page of each at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.querying import items
from infrastructure.dynamodb.tables import VIEWS
from infrastructure.dynamodb.values import Item, text, to_text


async def walked(
    database: Database,
    places: Sequence[str],
    by: str = "which",
    low: str | None = None,
    high: str | None = None,
    page: int = 500,
    *,
    descending: bool = False,
) -> AsyncIterator[Item]:
    """Items in the order of that attribute, from ``low`` to ``high``, both included.

    By their keys: consistent. By an index: what that has now, which may be a moment late. Raises
    ``StoreUnavailable``.
    """
    forward = {"ScanIndexForward": not descending}
    queries = [{**_query(place, by, low, high, page), **forward} for place in places]
    streams = [items(database, VIEWS, query) for query in queries]
    first = max if descending else min
    waiting = [(stream, await anext(stream, None)) for stream in streams]
    while any(item for _, item in waiting):
        at, item = first(
            ((at, item) for at, (_, item) in enumerate(waiting) if item),
            key=lambda one: to_text(one[1][by]).encode(),
        )
        yield item
        stream = waiting[at][0]
        waiting[at] = stream, await anext(stream, None)


def _query(place: str, by: str, low: str | None, high: str | None, page: int) -> Mapping[str, Any]:
    values = {":place": text(place)}
    condition = "place = :place"
    if low is not None and high is not None:
        condition += f" AND {by} BETWEEN :low AND :high"
    elif low is not None:
        condition += f" AND {by} >= :low"
    elif high is not None:
        condition += f" AND {by} <= :high"
    values |= {f":{name}": text(end) for name, end in (("low", low), ("high", high)) if end}
    query: dict[str, Any] = {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "Limit": page,
    }
    return {**query, "ConsistentRead": True} if by == "which" else {**query, "IndexName": by}
