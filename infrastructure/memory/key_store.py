"""The keys of data subjects in memory."""

from collections.abc import AsyncIterator, Collection, Mapping
from secrets import token_bytes

from application.ports.keys import KEY_BYTES, Forgotten, require_subject


class KeyStore:
    """The :class:`~application.ports.KeyStore` of one process."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes | None] = {}  # None: destroyed

    async def keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        return {one: key for one in subjects if (key := self._keys.get(one)) is not None}

    async def key(self, subject: str) -> bytes:
        require_subject(subject)
        key = self._keys.setdefault(subject, token_bytes(KEY_BYTES))
        if key is None:
            raise Forgotten(subject)
        return key

    async def destroy(self, subject: str) -> bool:
        require_subject(subject)
        before = self._keys.get(subject, b"")
        self._keys[subject] = None
        return before is not None

    async def forgotten(self) -> AsyncIterator[str]:
        for subject in [one for one, key in self._keys.items() if key is None]:
            yield subject
