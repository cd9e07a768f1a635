"""The ids of events that were written lately, by which a repeated append is recognised."""

from typing import Final

_GENERATION: Final = 20_000
"""Ids. Two generations take about 8 MB, which is what the server gives them."""


class RecentIds:
    """Ids, each for the first stream and version that it was written to. Begins empty.

    The oldest go when there are too many. An id that is written to a second stream, too, is not
    known there as long as it is known for the first: so it is on the server.
    """

    def __init__(self) -> None:
        self._young: dict[bytes, tuple[int, int]] = {}
        self._old: dict[bytes, tuple[int, int]] = {}

    def version_of(self, stream: int, record_id: bytes) -> int | None:
        """The version that the id stands for in the stream of that key."""
        found = self._young.get(record_id) or self._old.get(record_id)
        return found[1] if found is not None and found[0] == stream else None

    def put(self, record_id: bytes, stream: int, version: int) -> bool:
        """Whether the id is new; one that is known stays as it is."""
        if record_id in self._old:
            return False
        place = stream, version
        return self._young.setdefault(record_id, place) is place

    def take_back(self, count: int) -> None:
        """Forget the newest ids, which came to nothing."""
        for _ in range(min(count, len(self._young))):
            self._young.popitem()

    def age(self) -> None:
        """Forget the oldest, if there are too many; ids that are put after this may be many."""
        if len(self._young) >= _GENERATION:
            self._old, self._young = self._young, {}
