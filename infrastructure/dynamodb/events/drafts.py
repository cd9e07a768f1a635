"""What a caller wants to be appended, cut into tiles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from application.messages import NewEvent
from infrastructure.dynamodb.events.tiles import TILE, Stored, Tile, rest_of
from infrastructure.dynamodb.values import Item

TRANSACTION: Final = 4_000_000
"""Bytes in a transaction, at most."""
ITEMS: Final = 100
"""Items in a transaction, at most."""
_NAME: Final = 2048  # bytes in the name of a stream: it is a key


@dataclass(frozen=True)
class Draft:
    """What one caller wants to be appended, cut into tiles."""

    stream: str
    expected: int
    tiles: Sequence[Sequence[Stored]]

    @classmethod
    def of(cls, stream: str, events: Sequence[NewEvent], expected: int) -> Self:
        """``ValueError`` for a name without a category, text that cannot be stored, an id twice,
        and for more than a transaction holds."""
        category, dash, _ = stream.partition("-")
        if not (category and dash):
            raise ValueError(f"a stream is named <category>-<id>, not {stream!r}")
        if len(stream.encode()) > _NAME:
            raise ValueError(f"DynamoDB: the name of a stream has at most {_NAME:,} bytes")
        if len({event.id for event in events}) < len(events):
            raise ValueError(f"two of the events for {stream} have the same id")
        draft = cls(stream, expected, list(_cut([Stored.of(event) for event in events])))
        if draft.size > TRANSACTION or draft.items >= ITEMS:
            raise ValueError(
                f"DynamoDB: an append has at most {TRANSACTION // 10**6} MB, and this one to "
                f"{stream} has {draft.size:,} bytes: append fewer events at a time, or let the "
                "claim check keep large data out of them"
            )
        return draft

    @property
    def events(self) -> Sequence[Stored]:
        return [event for tile in self.tiles for event in tile]

    @property
    def last(self) -> int:
        """The version of its last event, once it is appended."""
        return self.expected + sum(map(len, self.tiles))

    @property
    def size(self) -> int:
        """Its bytes in a transaction, at most."""
        each = len(self.stream.encode()) + 200
        return sum(event.size for event in self.events) + self.items * each

    @property
    def items(self) -> int:
        """How many items it has in a transaction."""
        return sum(1 + len(rest_of(tile)) for tile in self.tiles)

    def placed(self, position: int, at: datetime) -> Iterator[tuple[Item, "Tile"]]:
        """Its items, if its first event has that position; each with the tile it belongs to."""
        version = self.expected + 1
        for events in self.tiles:
            tile = Tile(self.stream, version, position, at, events)
            for item in tile.items():
                yield item, tile
            version, position = version + len(events), position + len(events)


def _cut(events: Sequence[Stored]) -> Iterator[Sequence[Stored]]:
    """Groups of events that each fit into a tile; one that is too large is alone."""
    tile: list[Stored] = []
    size = 0
    for event in events:
        if tile and size + event.size > TILE:
            yield tile
            tile, size = [], 0
        tile.append(event)
        size += event.size
    if tile:
        yield tile
