"""Streams as DynamoDB has them: tiles by query, in either direction, and many by their keys."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final

from application.ports import NO_STREAM, StoreUnavailable
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.tiles import (
    Tile,
    joined,
    part_key,
    parts_of,
    tile_key,
    tile_of,
    version_of,
)
from infrastructure.dynamodb.querying import items, loaded
from infrastructure.dynamodb.tables import STREAMS
from infrastructure.dynamodb.values import Item, number, text

Address = tuple[str, int]
"""A tile: its stream and its version."""

_RECENT: Final = 500  # tiles that are kept in memory
_SMALL: Final = 20_000  # bytes: larger tiles are not kept


class Gone(StoreUnavailable):
    """Events that the log has are missing in the table, or are not whole."""


class Streams:
    """The tiles of one database. Nothing is ever changed in one, so those read before are kept.

    Every method raises ``StoreUnavailable``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent: OrderedDict[Address, Tile] = OrderedDict()

    async def tiles(
        self, stream: str, from_version: int, *, limit: int | None = None
    ) -> AsyncIterator[Tile]:
        """Those from the one on that holds ``from_version``, oldest first; a page is at most
        ``limit`` items."""
        forwards = self._query(stream, "#v >= :v", from_version, forward=True, limit=limit)
        begun = from_version == 0
        async for tile in joined(forwards, backwards=False):
            if not begun and tile.version > from_version:
                before = await self.holding(stream, from_version)
                if before:
                    yield before
            begun = True
            yield tile
        if not begun and (only := await self.holding(stream, from_version)):
            yield only

    async def newest(
        self, stream: str, *, limit: int | None = None, before: int | None = None
    ) -> AsyncIterator[Tile]:
        """Those that begin before a version (``None``: all), newest first; a page is at most
        ``limit`` items."""
        condition, version = ("#v >= :v", 0) if before is None else ("#v < :v", before)
        backwards = self._query(stream, condition, version, forward=False, limit=limit)
        async for tile in joined(backwards, backwards=True):
            yield tile

    async def holding(self, stream: str, version: int) -> Tile | None:
        """The tile that holds an event; ``None``: there is no such event."""
        async for item in self._query(stream, "#v <= :v", version, forward=False, limit=1):
            found = await self.fetch([(stream, version_of(item))], consistent=True)
            (tile,) = found.values()
            return tile if version < tile.end else None
        return None

    async def last_version(self, stream: str) -> int:
        """The version of its last event; ``NO_STREAM`` for none."""
        async for tile in self.newest(stream, limit=1):
            return tile.end - 1
        return NO_STREAM

    async def fetch(
        self, addresses: Collection[Address], *, consistent: bool = False
    ) -> Mapping[Address, Tile]:
        """The tiles at these addresses, which are there.

        Without ``consistent``, one that a replica does not have yet is read again with it: half the
        price, and nothing else can differ. Raises :class:`Gone` for one that is gone.
        """
        known = {one: self._recent[one] for one in addresses if one in self._recent}
        missing = [one for one in addresses if one not in known]
        heads = await self._heads(missing, consistent=consistent)
        if late := [one for one in missing if one not in heads]:
            heads |= await self._heads(late, consistent=True)
        for one in missing:
            if one not in heads:
                raise Gone(
                    f"DynamoDB: the log names version {one[1]} of {one[0]}, which is gone: restore "
                    f"the table {self._database.table(STREAMS.name)}"
                )
        parts = await self._parts(heads)
        tiles = {one: tile_of(head, parts.get(one, ())) for one, head in heads.items()}
        for tile in tiles.values():
            self.keep(tile)
        return {**known, **tiles}

    def keep(self, tile: Tile) -> None:
        """Remember a tile that is stored."""
        if sum(len(event.data) + len(event.metadata) for event in tile.events) > _SMALL:
            return
        self._recent[tile.stream, tile.version] = tile
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    async def _heads(
        self, addresses: Sequence[Address], *, consistent: bool
    ) -> dict[Address, Mapping[str, Any]]:
        keys = [tile_key(stream, version) for stream, version in addresses]
        return {_address(item): item for item in await self._get(keys, consistent=consistent)}

    async def _parts(
        self, heads: Mapping[Address, Mapping[str, Any]]
    ) -> Mapping[Address, Sequence[Mapping[str, Any]]]:
        """The parts of their data, of those that have any."""
        found: dict[Address, Sequence[Mapping[str, Any]]] = {}
        for (stream, version), head in heads.items():
            if count := parts_of(head):
                keys = [part_key(stream, version, part) for part in range(1, count + 1)]
                items = await self._get(keys, consistent=True)
                in_order = sorted(items, key=lambda item: float(item["version"]["N"]))
                if len(in_order) < count:
                    raise Gone(f"DynamoDB: a part of version {version} of {stream} is gone")
                found[stream, version] = in_order
        return found

    async def _get(self, keys: Sequence[Item], *, consistent: bool) -> Sequence[Mapping[str, Any]]:
        return await loaded(self._database, STREAMS, keys, consistent=consistent)

    def _query(
        self, stream: str, condition: str, version: int, *, forward: bool, limit: int | None
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The items of a stream, page by page, as they are now."""
        question: dict[str, Any] = {
            "KeyConditionExpression": f"#s = :s AND {condition}",
            "ExpressionAttributeNames": {"#s": "stream", "#v": "version"},
            "ExpressionAttributeValues": {":s": text(stream), ":v": number(version)},
            "ConsistentRead": True,
            "ScanIndexForward": forward,
        }
        if limit is not None:
            question["Limit"] = limit
        return items(self._database, STREAMS, question)


def _address(item: Mapping[str, Any]) -> Address:
    return str(item["stream"]["S"]), version_of(item)
