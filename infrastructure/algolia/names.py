"""The names of indexes, and how we know that an index is ours.

``userData`` in its settings marks an index as ours; one without the mark is never written, emptied
or removed. Algolia makes an index of any name that is written to, so a write looks for the mark
before and after it.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from application.ports import IndexMissing, NotOurs
from infrastructure.algolia.application import Application
from infrastructure.algolia.failures import Rejected
from infrastructure.algolia.places import NUMBERS

_MARK: Final = "headwater"
SEARCHED: Final[Mapping[str, Any]] = {
    "searchableAttributes": ["unordered(words)"],
    "attributesForFaceting": [],
    "numericAttributesForFiltering": ["equalOnly(there)", *NUMBERS],
    "ranking": [*(f"asc({number})" for number in NUMBERS), "asc(key)"],
    "customRanking": [],
    "attributesToHighlight": [],
    "typoTolerance": False,
    "indexLanguages": ["en"],  # else it looks for words in the way of each language
    "queryLanguages": ["en"],
}
"""The settings of an index of views."""
LOOKED_UP: Final[Mapping[str, Any]] = {
    **SEARCHED,
    "searchableAttributes": ["key"],
    "numericAttributesForFiltering": ["equalOnly(there)"],
    "ranking": ["asc(key)"],
}
"""The settings of an index of parts, which no query reads."""


class Name:
    """The name of the views of one build, or of its parts."""

    def __init__(
        self, application: Application, name: str, settings: Mapping[str, Any], new: str = ""
    ) -> None:
        """``new``: of an index that is about to be moved to the name; else ``NAME-new``."""
        self._application, self.name, self._settings = application, name, settings
        self._new = new or f"{name}-new"

    async def filling(self) -> int | None:
        """The number of the index; ``None`` where there is none. Raises ``NotOurs``."""
        about = await self.about()
        return None if about is None else number_in(about)

    async def marked(self) -> int | None:
        """The number of the index; ``None`` unless it is there and ours."""
        about = await self._application.about(self.name) or {}
        return number_in(about) if name_in(about) == self.name else None

    async def about(self) -> Mapping[str, Any] | None:
        """The settings of the index; ``None`` where there is none. Raises ``NotOurs``."""
        about = await self._application.about(self.name)
        if about is not None and name_in(about) != self.name:
            raise _not_ours(self.name)
        return about

    async def begin(self, filling: int) -> None:
        """Move an empty index to this name, over the one that is there. Raises ``NotOurs``.

        A move is one step for those who search, and an index keeps its replicas.
        """
        await self.about()
        empty, name = self._new, self.name
        await self._clean()
        settings = {**self._settings, "userData": {_MARK: {"name": name, "number": f"{filling:x}"}}}
        await self._application.change(
            empty, lambda client: client.set_settings_with_http_info(empty, settings)
        )
        await self._move(empty)
        if await self.filling() != filling:  # moving an index that is not there changes nothing
            raise self._application.unavailable(f"{name} has been begun by another process")

    async def _move(self, source: str) -> None:
        """Let that index take the place of this one."""
        wanted = {"operation": "move", "destination": self.name}
        await self._application.change(
            source, lambda client: client.operation_index_with_http_info(source, wanted)
        )

    async def become_copy_of(self, other: "Name") -> None:
        """Let a copy of that index take the place of this one, in one step."""
        await self._clean()
        copy = {"operation": "copy", "destination": self._new}
        await self._application.change(
            other.name, lambda client: client.operation_index_with_http_info(other.name, copy)
        )
        try:
            await self._move(self._new)
        except Rejected:  # another process has made it a replica meanwhile
            await self._clean()

    async def lead(self, *replicas: str) -> None:
        """Let these indexes, and no others, have what this one has, from now on."""
        wanted = {"replicas": list(replicas)}
        await self._application.change(
            self.name, lambda client: client.set_settings_with_http_info(self.name, wanted)
        )

    async def remove(self) -> None:
        """Remove the index. Its replicas stay. Raises ``NotOurs``."""
        if await self.about() is not None:
            await self._drop(self.name)
        await self._clean()

    async def undo(self) -> None:
        """Remove the index if it has no mark: a write to a missing index has made it."""
        about = await self._application.about(self.name)
        if about is not None and not about.get("userData"):
            await self._drop(self.name)

    async def _clean(self) -> None:
        """Remove what an attempt has left that was cut off. Raises ``NotOurs``."""
        about = await self._application.about(self._new)
        if about is None:
            return
        if name_in(about) is None:
            raise _not_ours(self._new)
        await self._drop(self._new)

    async def _drop(self, index: str) -> None:
        with suppress(IndexMissing):  # another process has removed it
            await self._application.change(
                index, lambda client: client.delete_index_with_http_info(index)
            )


def name_in(about: Mapping[str, Any]) -> str | None:
    """The name of the build whose views these settings say that the index has."""
    mark = _mark(about)
    return str(mark["name"]) if "name" in mark else None


def number_in(about: Mapping[str, Any]) -> int:
    return int(_mark(about)["number"], 16)


def _not_ours(index: str) -> NotOurs:
    return NotOurs(
        f"there is an index {index} in Algolia that is not a read model's: remove it, or choose "
        f"another prefix for ours"
    )


def _mark(about: Mapping[str, Any]) -> Mapping[str, Any]:
    data = about.get("userData")
    mark = data.get(_MARK) if isinstance(data, dict) else None
    return mark if isinstance(mark, dict) else {}
