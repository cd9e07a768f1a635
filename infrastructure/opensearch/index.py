"""The index of one build: written with its positions as versions, found by words."""

import asyncio
import itertools
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Generic

from application.backoff import Backoff
from application.ports import Changed, IndexMissing, Seen, StoreUnavailable, V
from infrastructure.opensearch.documents import SHOWN, Documents, batches, cut, id_of
from infrastructure.opensearch.failures import BLOCKED, BUSY, MISSING, of_item, one_line
from infrastructure.opensearch.names import Name
from infrastructure.opensearch.ranks import text_of
from infrastructure.opensearch.server import BULK, QUERY, Server

MOST: Final = 5_000_000
"""Bytes in one request, about."""

_ATTEMPTS: Final = 5
_BACKOFF: Final = Backoff(0.1, most=2.0)
_NEWER: Final = 409  # there is a document that has seen as much or more
_WRITTEN: Final = frozenset({200, 201, _NEWER})
_ANSWER: Final = "errors,items.*.status,items.*.error.type,items.*.error.reason"


class Pace:
    """Lets one write begin in so many seconds: each makes a segment, which the server has to merge.

    What comes meanwhile is written together.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, 0.0

    async def wait(self) -> None:
        now = asyncio.get_running_loop().time
        if self._next > now():
            await asyncio.sleep(self._next - now())
        self._next = now() + self._seconds


class SearchIndex(Generic[V]):
    """The :class:`~application.ports.SearchIndex` of that name."""

    def __init__(
        self, server: Server, name: Name, documents: Documents[V], *, refreshed: "Pace | None"
    ) -> None:
        """``refreshed``: how often at most; ``None`` where no query reads it."""
        self._server, self._name = server, name
        self._documents, self._refreshed = documents, refreshed

    async def filling(self) -> int | None:
        return await self._name.filling()

    async def begin(self, filling: int) -> None:
        await self._name.begin(filling)

    async def prepare(self) -> None:
        if await self.filling() is None:
            await self.begin(1)

    async def clear(self) -> None:
        if (filling := await self.filling()) is None:
            raise IndexMissing(f"there is no index {self._name.alias}")
        await self.begin(filling + 1)

    async def load(self, keys: Collection[str]) -> Changed[V]:
        if not keys:
            return {}
        ids = {id_of(key): key for key in keys}
        body = {"ids": list(ids)}
        answer = await self._server.ask(
            lambda client: client.mget(body=body, index=self._name.alias, request_timeout=BULK)
        )
        return {
            ids[found["_id"]]: self._documents.seen(found)
            for found in map(self._whole, answer["docs"])
            if found["found"]
        }

    def _whole(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer about one document. Raises what it has instead of an answer."""
        if error := found.get("error"):
            raise self._failed(error)
        return found

    def _failed(self, error: Mapping[str, Any]) -> Exception:
        reason = f"{self._name.alias}: {error['type']}: {error['reason']}"
        if error["type"] == MISSING:
            return IndexMissing(reason)
        return self._server.unavailable(reason)

    async def write(self, changed: Changed[V]) -> None:
        if self._refreshed:
            await self._refreshed.wait()
        lines = self._documents.lines(changed)
        for keys, body in batches(lines, list(changed), MOST):
            await self._send(keys, body, changed)

    async def _send(self, keys: Sequence[str], body: bytes, changed: Changed[V]) -> None:
        """Send it; what the server is too busy for is sent again, with pauses."""
        for attempt in itertools.count(1):
            items = await self._bulk(body)
            both = zip(keys, items, strict=True)
            refused = {key: item for key, item in both if item["status"] not in _WRITTEN}
            if not refused:
                return
            self._require_busy(refused, last=attempt == _ATTEMPTS)
            await _BACKOFF(attempt - 1)
            keys = list(refused)
            again = {key: changed[key] for key in keys}
            body = "".join(self._documents.lines(again)).encode()

    def _require_busy(self, refused: Mapping[str, Mapping[str, Any]], *, last: bool) -> None:
        """Raises what the server has against a document, unless it is to be sent again."""
        for key, item in refused.items():
            if last or item["status"] not in BUSY or item["error"]["type"] in BLOCKED:
                what = f"{one_line(key)} in {self._name.alias}"
                raise of_item(item["status"], item["error"], what)

    async def _bulk(self, body: bytes) -> Sequence[Mapping[str, Any]]:
        """What became of each document. Queries see those that are written, or were before."""
        answer = await self._server.ask(
            lambda client: client.bulk(
                body=body,
                index=self._name.for_writes,
                params={
                    "require_alias": "true",  # else a missing index would be made, with any form
                    "refresh": "true" if self._refreshed else "false",
                    "timeout": "10s",
                    "filter_path": _ANSWER,
                    "request_timeout": BULK,
                },
            )
        )
        items = [item["index"] for item in answer["items"]]
        if self._refreshed and any(item["status"] == _NEWER for item in items):
            await self._refresh()  # a document that was not written refreshes nothing
        return items

    async def _refresh(self) -> None:
        await self._server.ask(
            lambda client: client.indices.refresh(index=self._name.for_writes, request_timeout=BULK)
        )

    async def search(
        self, words: Collection[str], *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        prefixes = [{"prefix": {"words": {"value": cut(word)}}} for word in sorted(words)]
        query = {
            "size": limit,
            "query": {"bool": {"filter": [{"exists": {"field": "rank"}}, *prefixes]}},
            "sort": [{"rank": "desc"}, {"key": "asc"}],
            "version": True,
            "track_total_hits": False,
            "_source": list(SHOWN),
        }
        if after is not None:
            query["search_after"] = [text_of(after[0]), after[1]]
        hits = await self._hits(query)
        found = [(hit["_source"]["key"], self._documents.seen(hit)) for hit in hits]
        return [(key, seen) for key, seen in found if isinstance(seen, Seen)]

    async def _hits(self, query: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """All that the query finds. Raises ``StoreUnavailable`` for an answer with gaps."""
        try:
            answer = await self._server.ask(
                lambda client: client.search(
                    index=self._name.alias,
                    body=query,
                    params={"allow_partial_search_results": "false", "request_timeout": QUERY},
                ),
                attempts=2,
            )
        except ValueError as error:  # such a query is forbidden there; it is not the caller's fault
            raise StoreUnavailable(str(error)) from error
        if answer["timed_out"]:
            raise self._server.unavailable(f"a search of {self._name.alias} was cut off")
        hits: Sequence[Mapping[str, Any]] = answer["hits"]["hits"]
        return hits
