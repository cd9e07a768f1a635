"""The names of indexes, and how we know that an index is ours.

The name of a build is an alias. It leads to an index of one filling, so an empty index takes the
place of a full one in one step. Each index has an alias of its own for writes, which goes with it:
a writer that does not know yet that its index was lost writes nowhere. ``_meta`` in the mapping
marks an index as ours; an index without the mark is never written, emptied or removed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from application.ports import IndexMissing, NotOurs
from infrastructure.opensearch.documents import MAPPING
from infrastructure.opensearch.server import CHANGE, Server

_MARK: Final = "headwater"
_SETTINGS: Final[Mapping[str, Any]] = {
    "number_of_shards": 1,  # one order of ranks; views are bounded, and so is their number
    "auto_expand_replicas": "0-1",  # a copy, where there is a second node
    "refresh_interval": "-1",  # a write refreshes what queries are to see
    "translog.durability": "request",  # whatever a template says: the checkpoint relies on it
}


class Name:
    """The name of the views of one build, or of its parts."""

    def __init__(self, server: Server, alias: str) -> None:
        self._server, self.alias = server, alias
        self._filling: int | None = None  # that this object has begun or seen last

    @property
    def for_writes(self) -> str:
        """The alias for writes into the index that was begun or seen here last.

        Raises :class:`IndexMissing` where there was none.
        """
        if self._filling is None:
            raise IndexMissing(f"there is no index {self.alias} yet")
        return f"{self._index(self._filling)}-writes"

    async def filling(self) -> int | None:
        """The number of the index to which the name leads. Raises :class:`NotOurs`."""
        found = await self.ours()
        numbers = [of["number"] for of in found.values() if of["named"]]
        self._filling = numbers[0] if numbers else None
        return self._filling

    async def begin(self, filling: int) -> None:
        """Let the name lead to an empty index, and remove all others. Raises :class:`NotOurs`."""
        there = await self.ours()
        index = self._index(filling)
        mapping = {**MAPPING, "_meta": {_MARK: {"name": self.alias, "number": filling}}}
        body = {"settings": dict(_SETTINGS), "mappings": mapping}
        if index not in there:
            await self._server.ask(
                lambda client: client.indices.create(index=index, body=body, request_timeout=CHANGE)
            )
        shown = set[str]().union(*(of["shown"] for of in there.values()))
        aliases = [self.alias, f"{index}-writes", *sorted(shown)]
        actions = [
            *({"add": {"index": index, "alias": alias}} for alias in aliases),
            *({"remove_index": {"index": old}} for old in there if old != index),
        ]
        await self.change(actions)
        self._filling = filling

    async def remove(self) -> None:
        """Remove all its indexes. Raises :class:`NotOurs`."""
        if there := await self.ours():
            await self.change([{"remove_index": {"index": index}} for index in there])

    async def change(self, actions: Sequence[Mapping[str, Any]]) -> None:
        """Carry out all these changes of aliases and indexes, or none."""
        await self._server.ask(
            lambda client: client.indices.update_aliases(
                body={"actions": actions}, request_timeout=CHANGE
            )
        )

    async def ours(self) -> Mapping[str, Mapping[str, Any]]:
        """The indexes of this name, with what is left of an attempt that was cut off.

        Of each: its ``number``, whether it is in use under the name (``named``), and as what it is
        ``shown`` to other programs. Raises :class:`NotOurs` for one that is not ours.
        """
        return {
            index: _ours(self.alias, index, about)
            for index, about in (await described(self._server, self.alias)).items()
        }

    def _index(self, filling: int) -> str:
        return f"{self.alias}-{filling:x}"


async def described(server: Server, alias: str) -> Mapping[str, Mapping[str, Any]]:
    """Mapping and aliases of all indexes that have this name, or begin with it and a dash."""
    try:
        found: Mapping[str, Mapping[str, Any]] = await server.ask(
            lambda client: client.indices.get(
                index=f"{alias},{alias}-*",
                params={
                    "ignore_unavailable": "true",
                    "allow_no_indices": "true",
                    "expand_wildcards": "all",
                    "filter_path": "*.aliases,*.mappings._meta",
                    "request_timeout": CHANGE,
                },
            )
        )
    except IndexMissing:
        return {}
    return found


def _ours(alias: str, index: str, about: Mapping[str, Any]) -> Mapping[str, Any]:
    mark = about.get("mappings", {}).get("_meta", {}).get(_MARK, {})
    if mark.get("name") != alias:
        raise NotOurs(
            f"there is an index {index} in OpenSearch that is not a read model's: remove it, or "
            f"choose another prefix for ours"
        )
    aliases = set(about.get("aliases", {}))
    own = {alias, f"{index}-writes"}
    return {"number": mark["number"], "named": own <= aliases, "shown": aliases - own}
