"""Appends that are committed together: which fit into one transaction, and what it puts."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from uuid import uuid4

from application.ports import Appended
from infrastructure.batching import Waiting
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.drafts import ITEMS, TRANSACTION, Draft
from infrastructure.dynamodb.events.entries import Entry, reference, size_of
from infrastructure.dynamodb.events.tiles import ITEM, Tile
from infrastructure.dynamodb.tables import LOG, STREAMS, Table
from infrastructure.dynamodb.values import Item

_ENTRY: Final = ITEM - 50_000  # bytes of references in an entry
_SPACE: Final = TRANSACTION - ITEM  # bytes of tiles beside an entry in a transaction
_FREE: Final[Mapping[str, Any]] = {
    "ConditionExpression": "attribute_not_exists(#key)",
    "ExpressionAttributeNames": {"#key": "at"},
}


@dataclass(frozen=True)
class Transaction:
    """Appends as one commit, if the log ends at ``entry.first``."""

    entry: Entry
    tiles: Sequence[Tile]
    items: Sequence[Item]
    of: Sequence[int]
    """For each item the number of its append."""
    answers: Sequence[Appended]
    """To each append, if the transaction is made."""

    @classmethod
    def made_of(cls, drafts: Sequence[Draft], first: int, at: datetime) -> Self:
        """``first``: the position of the first event."""
        position = first
        tiles: list[Tile] = []
        items: list[Item] = []
        of: list[int] = []
        answers = []
        for number, draft in enumerate(drafts):
            for item, tile in draft.placed(position, at):
                items.append(item)
                of.append(number)
                if not tiles or tiles[-1] is not tile:
                    tiles.append(tile)
            position += draft.last - draft.expected
            answers.append(Appended(draft.last, position - 1))
        entry = Entry(first, position, at, str(uuid4()), [reference(tile) for tile in tiles])
        return cls(entry, tiles, items, of, answers)

    async def send(self, database: Database) -> None:
        """Nothing is put unless all keys are free. The reasons against it are in the order of the
        items; the last is that of the entry. Raises botocore's errors."""
        puts = [_put(database, STREAMS, item) for item in self.items]
        await database.client.transact_write_items(
            TransactItems=[*puts, _put(database, LOG, self.entry.item())],
            ClientRequestToken=self.entry.commit,
        )


def next_group(waiting: deque[Waiting[Draft, Appended]]) -> Sequence[Waiting[Draft, Appended]]:
    """The next group: the first appends that fit together, but only one of each stream."""
    group: dict[str, Waiting[Draft, Appended]] = {}
    later: list[Waiting[Draft, Appended]] = []
    items, size, entry = 1, 0, 0
    while waiting:
        draft, answer = one = waiting.popleft()
        if answer.cancelled():
            continue
        own = sum(size_of(draft.stream, [e.type for e in tile]) for tile in draft.tiles)
        full = items + draft.items > ITEMS or size + draft.size > _SPACE or entry + own > _ENTRY
        if draft.stream in group or (group and full):
            later.append(one)
            if full:
                break
            continue
        group[draft.stream] = one
        items, size, entry = items + draft.items, size + draft.size, entry + own
    waiting.extendleft(reversed(later))
    return list(group.values())


def _put(database: Database, table: Table, item: Item) -> Any:
    return {"Put": {"TableName": database.table(table.name), "Item": item, **_FREE}}
