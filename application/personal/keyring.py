"""The keys of data subjects that a process has used lately, so that it seldom asks their store.

A key is kept for ``KEPT`` seconds. So long after it was destroyed, no process uses it any more.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import Final

from application.personal.sealing import Key
from application.ports import Forgotten, KeyStore

KEPT: Final = 60.0  # seconds
MOST: Final = 10_000  # keys in memory, about 2 kB each


class Keyring:
    """Keys by data subject. All methods but ``forget`` raise ``StoreUnavailable``."""

    def __init__(
        self,
        store: Callable[[], KeyStore],
        *,
        kept: float = KEPT,
        most: int = MOST,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """``store``: called for each look, since a service is wired before its stores are open."""
        self._store, self._seconds, self._most, self._clock = store, kept, most, clock
        self._kept: OrderedDict[str, tuple[float, Key | None]] = OrderedDict()

    async def keys(self, subjects: Collection[str]) -> Mapping[str, Key | None]:
        """The key of each; ``None`` for one that is forgotten."""
        began = self._clock()
        found = {one: kept[1] for one in subjects if (kept := self._fresh(one, began))}
        if missing := [one for one in dict.fromkeys(subjects) if one not in found]:
            there = await self._store().keys(missing)
            for one in missing:
                found[one] = Key(there[one]) if one in there else None
                self._keep(one, began, found[one])
        return found

    async def key(self, subject: str) -> Key | None:
        """The key of a subject, made now if it has none; ``None``: the subject is forgotten.

        Raises ``ValueError`` for a text that cannot be a subject.
        """
        began = self._clock()
        kept = self._fresh(subject, began)
        if kept and kept[1]:
            return kept[1]
        try:
            key = Key(await self._store().key(subject))
        except Forgotten:
            return None
        self._keep(subject, began, key)
        return key

    def forget(self, subject: str) -> None:
        """Use its key no more in this process, from now on."""
        self._kept.pop(subject, None)

    def _fresh(self, subject: str, now: float) -> tuple[float, Key | None] | None:
        kept = self._kept.get(subject)
        return kept if kept and now - kept[0] < self._seconds else None

    def _keep(self, subject: str, began: float, key: Key | None) -> None:
        self._kept[subject] = began, key
        self._kept.move_to_end(subject)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
