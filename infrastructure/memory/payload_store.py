"""Payloads in memory."""

from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime
from hashlib import sha256

from application.ports import PayloadUnavailable, StoredPayload


def _now() -> datetime:
    return datetime.now(UTC)


class PayloadStore:
    """A :class:`~application.ports.SweepablePayloads`."""

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self._payloads: dict[str, tuple[bytes, datetime]] = {}
        self._aside: dict[tuple[str, datetime], bytes] = {}
        self._logs: set[str] = set()

    def __str__(self) -> str:
        return "memory"

    async def put(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        self._payloads.setdefault(digest, (data, self._clock()))
        return digest

    async def get(self, digest: str) -> bytes:
        if digest in self._payloads:
            return self._payloads[digest][0]
        for (kept, _), data in self._aside.items():
            if kept == digest:
                return data
        raise PayloadUnavailable(f"no payload has the SHA-256 {digest!r}")

    async def check(self, *, writable: bool = True) -> None:
        """Memory is always there."""

    async def stored(self) -> AsyncIterator[StoredPayload]:
        for digest, (data, since) in [*self._payloads.items()]:
            yield StoredPayload(digest, len(data), since)
        for (digest, since), data in [*self._aside.items()]:
            yield StoredPayload(digest, len(data), since, aside=True)

    async def set_aside(self, payload: StoredPayload) -> None:
        if (found := self._payloads.pop(payload.digest, None)) is not None:
            self._aside[payload.digest, self._clock()] = found[0]

    async def remove(self, payload: StoredPayload) -> None:
        self._aside.pop((payload.digest, payload.since), None)

    async def logs(self) -> Collection[str]:
        return self._logs

    async def note_log(self, id: str) -> None:
        self._logs.add(id)
