"""All our indexes in OpenSearch, and the aliases by which other programs find the live ones."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, Final

from opensearchpy import AsyncOpenSearch

from application.ports import IndexMissing, NotOurs, V
from application.projections.builds import Build
from application.projections.comparing import Kept
from application.projections.projection import Projection
from infrastructure.opensearch.documents import Documents, kept
from infrastructure.opensearch.failures import AccessRefused
from infrastructure.opensearch.index import Pace, SearchIndex
from infrastructure.opensearch.names import Name, described
from infrastructure.opensearch.server import BULK, LOOK, Server

_PAGE: Final = 1000  # documents
_KEEP: Final = "5m"  # for the next page


class SearchEngine:
    """The :class:`~application.ports.SearchEngine` on one server."""

    name: Final = "OpenSearch"

    def __init__(self, server: Server, prefix: str, owner: int, *, apart: float = 0.0) -> None:
        """``prefix``: what all names begin with. ``owner``: whose they are, on a shared server.

        ``apart``: the least seconds between two refreshes of an index, each of which costs.
        """
        self._server, self._prefix, self._apart = server, f"{prefix}-", apart
        self._own = f"{prefix}-{owner:08x}-"

    def index(self, projection: Projection[V], build: Build) -> SearchIndex[V]:
        documents = Documents(projection.view, projection)
        pace = Pace(self._apart)
        return SearchIndex(self._server, self._views(build), documents, refreshed=pace)

    def parts(self, projection: Projection[Any], build: Build) -> SearchIndex[Any]:
        assert projection.parts  # of a projection with parts
        documents = Documents(projection.parts.part, None)
        return SearchIndex(self._server, self._parts(build), documents, refreshed=None)

    async def kept(self, build: Build, *, parts: bool = False) -> AsyncIterator[Kept]:
        """As the port; in one snapshot."""
        names = self._parts(build) if parts else self._views(build)
        try:
            snapshot = await self._server.ask(
                lambda client: client.create_pit(
                    index=names.alias,
                    params={"keep_alive": _KEEP, "request_timeout": BULK},
                )
            )
        except IndexMissing:
            return
        pit = {"id": snapshot["pit_id"], "keep_alive": _KEEP}
        try:
            after: list[Any] | None = None
            while hits := await self._page(pit, after):
                for hit in hits:
                    yield kept(hit)
                after = hits[-1]["sort"]
        finally:
            await self._server.ask(
                lambda client: client.delete_pit(body={"pit_id": [pit["id"]]}), attempts=1
            )

    async def _page(self, pit: Mapping[str, str], after: list[Any] | None) -> list[Any]:
        query: dict[str, Any] = {
            "pit": pit,
            "size": _PAGE,
            "sort": [{"key": "asc"}],
            "version": True,
            "track_total_hits": False,
            "_source": ["key", "view", "detail"],
        }
        if after:
            query["search_after"] = after
        answer = await self._server.ask(
            lambda client: client.search(
                body=query,
                params={"allow_partial_search_results": "false", "request_timeout": BULK},
            )
        )
        hits: list[Any] = answer["hits"]["hits"]
        return hits

    async def show(self, build: Build) -> None:
        views, alias = self._views(build), f"{self._prefix}{build.name}"
        there = await views.ours()
        if not (shown := [index for index, of in there.items() if of["named"]]):
            raise IndexMissing(f"there is no index {views.alias}")
        leads_to = {
            index
            for index, about in (await described(self._server, alias)).items()
            if alias in about.get("aliases", {}) or index == alias
        }
        if others := sorted(index for index in leads_to if not index.startswith(self._own)):
            raise NotOurs(f"{alias} in OpenSearch leads to {', '.join(others)}, of another service")
        if leads_to != set(shown):
            await views.change(
                [
                    *({"remove": {"index": old, "alias": alias}} for old in leads_to),
                    *({"add": {"index": index, "alias": alias}} for index in shown),
                ]
            )

    async def remove(self, build: Build) -> None:
        for name in (self._views(build), self._parts(build)):
            await name.remove()

    async def check(self) -> None:
        """As :meth:`Server.check`. Raises ``StoreUnavailable`` for a red index of ours, too."""
        await self._server.check()
        with suppress(AccessRefused):  # a user who may not look at the cluster
            health = await self._server.ask(self._health, attempts=1)
            states = health.get("indices", {})
            if red := sorted(name for name, of in states.items() if of["status"] == "red"):
                raise self._server.unavailable(f"{', '.join(red)} is red: documents are missing")

    async def _health(self, client: AsyncOpenSearch) -> Mapping[str, Any]:
        params = {
            "level": "indices",
            "expand_wildcards": "all",
            "filter_path": "indices.*.status",
            "request_timeout": LOOK,
        }
        found: Mapping[str, Any] = await client.cluster.health(index=f"{self._own}*", params=params)
        return found

    def _views(self, build: Build) -> Name:
        return Name(self._server, self._own + build.table)

    def _parts(self, build: Build) -> Name:
        return Name(self._server, f"{self._own}{build.table}_parts")
