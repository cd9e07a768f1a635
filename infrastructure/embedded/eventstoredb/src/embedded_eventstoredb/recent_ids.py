"""The ids of recently written events, by which a repeated append is recognised."""

from typing import Final

_GENERATION: Final = 20_000
"""Ids per generation. Two generations take about 8 MB, as on the server."""


class RecentIds:
    """Ids, each with the first stream and version that it was written to. Empty at first.

    The oldest are forgotten when there are too many. As on the server, an id that is written to a
    second stream, too, is recognised for the first one only.
    """

    def __init__(self) -> None:
        self._young: dict[bytes, tuple[int, int]] = {}
        self._old: dict[bytes, tuple[int, int]] = {}

    def version_of(self, stream: int, record_id: bytes) -> int | None:
        """The version of that id in the stream of that key; None if it is not known."""
        found = self._young.get(record_id) or self._old.get(record_id)
        return found[1] if found is not None and found[0] == stream else None

    def put(self, record_id: bytes, stream: int, version: int) -> bool:
        """Add an id, unless it is known. Returns whether it was new."""
        if record_id in self._old:
            return False
        place = stream, version
        return self._young.setdefault(record_id, place) is place

    def take_back(self, count: int) -> None:
        """Forget the newest ids, whose records were rolled back."""
        for _ in range(min(count, len(self._young))):
            self._young.popitem()

    def age(self) -> None:
        """Forget the oldest generation, if there are too many ids."""
        if len(self._young) >= _GENERATION:
            self._old, self._young = self._young, {}
