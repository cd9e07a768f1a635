"""Tiles: the items that hold the events of a stream, in the order of their versions.

A tile has the events of one append, from its version on. An append that is too large for an item
is cut into several; an event that is too large has its data in *parts*, items right behind its
tile, with the versions ``v.01``, ``v.02``, …
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self
from uuid import UUID

from application.messages import Decoder, NewEvent, RecordedEvent
from infrastructure.dynamodb.values import Item, many, number, record, text, to_number, to_text

ITEM: Final = 400_000
"""Bytes in an item, at most; names and overhead count."""

TILE: Final = 350_000
"""Bytes of events in a tile: leaves room for what else is in the item."""
_PART: Final = 85_000  # characters of data in a part, of at most 4 bytes each
_EACH: Final = 100  # bytes of an event beside its data, metadata and type


@dataclass(frozen=True)
class Stored:
    """One event, as it is in a tile."""

    id: str
    type: str
    data: str
    metadata: str

    @classmethod
    def of(cls, event: NewEvent) -> Self:
        """``ValueError`` for data that is not text."""
        try:
            data = event.data.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"the data of {event.type} is not UTF-8: {error}") from None
        return cls(str(event.id), event.type, data, event.metadata.to_json().decode())

    @property
    def size(self) -> int:
        """Its bytes in an item, at most."""
        return _EACH + sum(len(text.encode()) for text in (self.type, self.data, self.metadata))


@dataclass(frozen=True)
class Tile:
    """Events of a stream, from ``version`` and from ``position`` on."""

    stream: str
    version: int
    position: int
    at: datetime
    events: Sequence[Stored]

    @property
    def end(self) -> int:
        """The version at which the next tile begins."""
        return self.version + len(self.events)

    def items(self) -> Iterator[Item]:
        """The tile's own item, then the parts of its data."""
        parts = rest_of(self.events)
        first = [_withoutrest_of(event) for event in self.events] if parts else self.events
        yield {
            "stream": text(self.stream),
            "version": number(self.version),
            "position": number(self.position),
            "at": text(self.at.isoformat()),
            "parts": number(len(parts)),
            "events": many(
                record(
                    {
                        "id": text(event.id),
                        "type": text(event.type),
                        "data": text(event.data),
                        "metadata": text(event.metadata),
                    }
                )
                for event in first
            ),
        }
        for count, data in enumerate(parts, 1):
            key = part_key(self.stream, self.version, count)
            yield {**key, "data": text(data)}

    def recorded(self, decoder: Decoder) -> Sequence[RecordedEvent]:
        """Its events, in order."""
        return [
            RecordedEvent(
                UUID(event.id),
                event.type,
                event.data.encode(),
                event.metadata.encode(),
                self.stream,
                version,
                self.position + version - self.version,
                self.at,
                decoder,
            )
            for version, event in enumerate(self.events, self.version)
        ]


def tile_key(stream: str, version: int) -> Item:
    """The key of a tile."""
    return {"stream": text(stream), "version": number(version)}


def part_key(stream: str, version: int, part: int) -> Item:
    """The key of a part of a tile's data, counted from 1."""
    return {"stream": text(stream), "version": {"N": f"{version}.{part:02d}"}}


def is_part(item: Mapping[str, Any]) -> bool:
    """Whether an item is a part."""
    return "." in item["version"]["N"]


def version_of(item: Mapping[str, Any]) -> int:
    """The version of a tile, also of a part of it."""
    return int(Decimal(item["version"]["N"]))


def parts_of(item: Mapping[str, Any]) -> int:
    """How many parts follow a tile's own item."""
    return to_number(item["parts"])


def tile_of(item: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> Tile:
    """The tile of its own item and its parts, in their order."""
    events = [
        Stored(
            to_text(event["M"]["id"]),
            to_text(event["M"]["type"]),
            to_text(event["M"]["data"]),
            to_text(event["M"]["metadata"]),
        )
        for event in item["events"]["L"]
    ]
    if parts:
        (cut,) = events  # an event with parts is alone in its tile
        data = "".join([cut.data, *(to_text(part["data"]) for part in parts)])
        events = [Stored(cut.id, cut.type, data, cut.metadata)]
    return Tile(
        to_text(item["stream"]),
        to_number(item["version"]),
        to_number(item["position"]),
        datetime.fromisoformat(to_text(item["at"])),
        events,
    )


async def joined(
    items: AsyncIterator[Mapping[str, Any]], *, backwards: bool
) -> AsyncIterator[Tile]:
    """The tiles of a stream's items, which come in the order of their versions."""
    head: Mapping[str, Any] | None = None
    parts: list[Mapping[str, Any]] = []
    async for item in items:
        if is_part(item):
            if head is not None or backwards:
                parts.append(item)
        else:
            head = item
            if not backwards:
                parts = []
        if head is not None and len(parts) >= parts_of(head):
            yield tile_of(head, parts[::-1] if backwards else parts)
            head, parts = None, []


def rest_of(events: Sequence[Stored]) -> Sequence[str]:
    """What a tile of these has in parts: the data of an event that is too large."""
    (first, *others) = events
    if others or first.size <= TILE:
        return []
    return [first.data[at : at + _PART] for at in range(_PART, len(first.data), _PART)]


def _withoutrest_of(event: Stored) -> Stored:
    return Stored(event.id, event.type, event.data[:_PART], event.metadata)
