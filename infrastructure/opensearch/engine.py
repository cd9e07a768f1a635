"""All our indexes in OpenSearch, and the aliases by which other programs find the live ones."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from application.ports import IndexMissing, NotOurs, V
from application.projections.builds import Build
from application.projections.comparing import Kept
from application.projections.projection import Projection
from infrastructure.opensearch.documents import Documents, kept
from infrastructure.opensearch.index import SearchIndex
from infrastructure.opensearch.names import Name, described
from infrastructure.opensearch.server import BULK, Server

_PAGE: Final = 1000  # documents
_KEEP: Final = "5m"  # for the next page


class SearchEngine:
    """The :class:`~application.ports.SearchEngine` on one server."""

    name: Final = "OpenSearch"

    def __init__(self, server: Server, prefix: str, owner: int) -> None:
        """``prefix``: what all names begin with. ``owner``: whose they are, on a shared server."""
        self._server, self._prefix = server, f"{prefix}-"
        self._own = f"{prefix}-{owner:08x}-"

    def index(self, projection: Projection[V], build: Build) -> SearchIndex[V]:
        documents = Documents(projection.view, projection)
        return SearchIndex(self._server, self._views(build), documents, searched=True)

    def parts(self, projection: Projection[Any], build: Build) -> SearchIndex[Any]:
        assert projection.parts  # of a projection with parts
        documents = Documents(projection.parts.part, None)
        return SearchIndex(self._server, self._parts(build), documents, searched=False)

    async def kept(self, build: Build) -> AsyncIterator[Kept]:
        """As the port; in one snapshot."""
        try:
            snapshot = await self._server.ask(
                lambda client: client.create_pit(
                    index=self._views(build).alias,
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

    def _views(self, build: Build) -> Name:
        return Name(self._server, self._own + build.table)

    def _parts(self, build: Build) -> Name:
        return Name(self._server, f"{self._own}{build.table}_parts")
