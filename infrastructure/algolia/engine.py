"""All our indexes in Algolia, and the replicas by which other programs find the live ones."""

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final

from application.ports import IndexMissing, NotOurs, V
from application.projections.builds import Build
from application.projections.comparing import Kept
from application.projections.projection import Projection
from infrastructure.algolia.application import Application
from infrastructure.algolia.index import PAGE, SearchIndex
from infrastructure.algolia.names import LOOKED_UP, SEARCHED, Name, name_in
from infrastructure.algolia.records import WHOLE, Records, kept


class SearchEngine:
    """The :class:`~application.ports.SearchEngine` in one application."""

    name: Final = "Algolia"

    def __init__(self, application: Application, prefix: str, owner: int) -> None:
        """``prefix``: what all names begin with. ``owner``: whose they are, if others share it."""
        self._application, self._prefix = application, f"{prefix}-"
        self._own = f"{prefix}-{owner:08x}-"

    def index(self, projection: Projection[V], build: Build) -> SearchIndex[V]:
        records = Records(projection.view, projection)
        return SearchIndex(self._application, self._views(build), records)

    def parts(self, projection: Projection[Any], build: Build) -> SearchIndex[Any]:
        assert projection.parts  # of a projection with parts
        records = Records(projection.parts.part, None)
        return SearchIndex(self._application, self._parts(build), records)

    async def kept(self, build: Build, *, parts: bool = False) -> AsyncIterator[Kept]:
        """As the port, but not from one moment: views that are written meanwhile may be seen.

        Algolia lists records by rank. They are put in order in a temporary file.
        """
        names = self._parts(build) if parts else self._views(build)
        with closing(sqlite3.connect("")) as file:  # on the disk once it is large
            file.execute("CREATE TABLE kept (key TEXT PRIMARY KEY, record TEXT) WITHOUT ROWID")
            try:
                async for records in self._browsed(names.name):
                    rows = [(one["key"], json.dumps(one)) for one in records]
                    file.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)
            except IndexMissing:
                return
            for (record,) in file.execute("SELECT record FROM kept ORDER BY key"):
                yield kept(json.loads(record))

    async def _browsed(self, index: str) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """All records, some at a time, in no order."""
        cursor: str | None = None
        while True:
            answer = await self._page(index, cursor)
            yield answer["hits"]
            if not (cursor := answer.get("cursor")):
                return

    async def _page(self, index: str, cursor: str | None) -> Mapping[str, Any]:
        wanted: dict[str, Any] = {"hitsPerPage": PAGE, "attributesToRetrieve": list(WHOLE)}
        if cursor:
            wanted["cursor"] = cursor
        found: Mapping[str, Any] = await self._application.ask(
            lambda client: client.browse_with_http_info(index, wanted)
        )
        return found

    async def show(self, build: Build) -> None:
        """As the port: the name becomes a replica of the build, which Algolia keeps equal.

        A copy of the build is moved to the name first. So those who search there see the one or
        the other, with its settings. Cut off anywhere, the name still answers, and the next call
        goes on.
        """
        views, copy = self._views(build), f"{self._own}{build.name}-new"
        shown = Name(self._application, self._shown(build), SEARCHED, copy)
        if await views.about() is None:
            raise IndexMissing(f"there is no index {views.name}")
        about = await self._application.about(shown.name)
        if about is not None and about.get("primary") == views.name:
            return
        await self._release(shown.name, about)
        await shown.become_copy_of(views)
        await views.lead(shown.name)

    async def _release(self, shown: str, about: Mapping[str, Any] | None) -> None:
        """Make a replica an index of its own. Raises ``NotOurs`` unless it has views of ours."""
        if about is None:
            return
        if not (name_in(about) or "").startswith(self._own):
            raise NotOurs(f"there is an index {shown} in Algolia that is not of this service")
        if primary := about.get("primary"):
            await Name(self._application, primary, SEARCHED).lead()

    async def remove(self, build: Build) -> None:
        views, shown = self._views(build), self._shown(build)
        about = await self._application.about(shown)
        if await views.about() is not None and about and about.get("primary") == views.name:
            await views.lead()
        if about and name_in(about) == views.name:
            await self._application.change(
                shown, lambda client: client.delete_index_with_http_info(shown)
            )
        for name in (views, self._parts(build)):
            await name.remove()

    def _shown(self, build: Build) -> str:
        return f"{self._prefix}{build.name}"

    def _views(self, build: Build) -> Name:
        return Name(self._application, self._own + build.table, SEARCHED)

    def _parts(self, build: Build) -> Name:
        return Name(self._application, f"{self._own}{build.table}_parts", LOOKED_UP)
