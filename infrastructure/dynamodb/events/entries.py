"""Entries of the log: each is one commit, and names the tiles that were committed with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from application.event_filter import EventFilter
from infrastructure.dynamodb.events.tiles import Tile
from infrastructure.dynamodb.values import Item, Value, many, number, record, text, to_number

PART: Final = 1_000_000
"""Positions in a part of the log. Each is a partition of its own, so none grows for ever."""


@dataclass(frozen=True)
class Reference:
    """A tile in the log: its key, the position of its first event, and the types of its events."""

    stream: str
    version: int
    position: int
    types: Sequence[str]

    def wanted(self, only: EventFilter) -> bool:
        """Whether one of its events is admitted."""
        return any(only.admits(self.stream, type) for type in set(self.types))

    def positions(self, only: EventFilter, after: int) -> Sequence[int]:
        """Of the events in it that are admitted, after that position."""
        return [
            position
            for position, type in enumerate(self.types, self.position)
            if position > after and only.admits(self.stream, type)
        ]


@dataclass(frozen=True)
class Entry:
    """One commit: the events from position ``first`` on, up to before ``end``."""

    first: int
    end: int
    at: datetime
    commit: str
    """A unique name."""
    tiles: Sequence[Reference]

    def item(self) -> Item:
        return {
            **entry_key(self.first),
            "end": number(self.end),
            "at": text(self.at.isoformat()),
            "commit": text(self.commit),
            "tiles": many(_written(tile) for tile in self.tiles),
        }


def entry_key(position: int) -> Item:
    """The key of the entry that begins there."""
    return {"part": number(position // PART), "position": number(position)}


def entry_of(item: Mapping[str, Any]) -> Entry:
    position = first = to_number(item["position"])
    tiles = []
    for tile in item["tiles"]["L"]:
        tiles.append(_read(tile["M"], position))
        position += len(tiles[-1].types)
    return Entry(
        first,
        to_number(item["end"]),
        datetime.fromisoformat(item["at"]["S"]),
        item["commit"]["S"],
        tiles,
    )


def reference(tile: Tile) -> Reference:
    """What the log says of a tile."""
    types = [event.type for event in tile.events]
    return Reference(tile.stream, tile.version, tile.position, types)


def size_of(stream: str, types: Sequence[str]) -> int:
    """The bytes of a reference in an entry, at most."""
    shown = types[:1] if len(set(types)) == 1 else types
    return len(stream.encode()) + 30 + sum(len(type.encode()) + 1 for type in shown)


def _written(tile: Reference) -> Value:
    alike = len(set(tile.types)) == 1
    return record(
        {
            "stream": text(tile.stream),
            "version": number(tile.version),
            "types": many(map(text, tile.types[:1] if alike else tile.types)),
            "count": number(len(tile.types)),
        }
    )


def _read(tile: Mapping[str, Any], position: int) -> Reference:
    types = [type["S"] for type in tile["types"]["L"]]
    if len(types) == 1:
        types *= to_number(tile["count"])
    return Reference(tile["stream"]["S"], to_number(tile["version"]), position, types)
